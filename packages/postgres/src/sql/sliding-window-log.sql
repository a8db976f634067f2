-- The sliding window log, see sliding-window-log.ts of @sluice/core. The newest entries lie in the row of
-- the log, and older ones in pages beside it. Totals are counted on through the life of a log: `base` is the
-- one before the first entry of the row, and what lies up to `gone` is forgotten. Only an empty log has none
-- in its row. An entry that is booked ahead lies half a microsecond before its time: a whole microsecond tells
-- one that was made then.

-- The units up to the last entry that lies in a page and is not later than an instant.
CREATE OR REPLACE FUNCTION {log_total}(log bytea, edge float8, gone float8, base float8)
  RETURNS float8 LANGUAGE plpgsql
AS {quote}
#variable_conflict use_variable
DECLARE
  page record;
BEGIN
  -- The first page with an entry in view.
  SELECT p.base, p.times, p.totals INTO page FROM {pages} AS p
    WHERE p.key = log AND p.last_time > edge AND p.last_total > gone
    ORDER BY p.last_time, p.last_total LIMIT 1;
  IF NOT FOUND THEN
    RETURN base;
  END IF;
  RETURN coalesce(page.totals[width_bucket(edge, page.times)], page.base);
END {quote};

-- When the entry in a page was made up to which there are so many units.
CREATE OR REPLACE FUNCTION {log_time}(log bytea, total float8)
  RETURNS float8 LANGUAGE plpgsql
AS {quote}
#variable_conflict use_variable
DECLARE
  page record;
BEGIN
  SELECT p.times, p.totals INTO STRICT page FROM {pages} AS p
    WHERE p.key = log AND p.last_total >= total
    ORDER BY p.last_total LIMIT 1;
  RETURN page.times[1 + width_bucket(total - 1, page.totals)];
END {quote};

-- Takes what is forgotten off all totals, from the smallest on, so that no two pages ever have the same.
CREATE OR REPLACE FUNCTION {log_recount}(log bytea, gone float8)
  RETURNS void LANGUAGE plpgsql
AS {quote}
#variable_conflict use_variable
DECLARE
  page record;
BEGIN
  DELETE FROM {pages} AS p WHERE p.key = log AND p.last_total <= gone;
  FOR page IN SELECT p.last_total, p.totals FROM {pages} AS p WHERE p.key = log ORDER BY p.last_total LOOP
    UPDATE {pages} AS p SET
      last_total = p.last_total - gone,
      base = p.base - gone,
      totals = ARRAY(SELECT t.total - gone FROM unnest(page.totals) WITH ORDINALITY AS t (total, place) ORDER BY t.place)
      WHERE p.key = log AND p.last_total = page.last_total;
  END LOOP;
END {quote};

-- Takes units back from the first entry later than an instant on, onward until all are taken: what the row holds
-- then. Pages with such entries go back into it, and those after them, which count on from there.
CREATE OR REPLACE FUNCTION {log_cancel}(
  log bytea, edge float8, weight float8, gone float8, INOUT times float8[], INOUT totals float8[], INOUT base float8)
  LANGUAGE plpgsql
AS {quote}
#variable_conflict use_variable
DECLARE
  pulled record;
  first int;
  before float8;
BEGIN
  IF base > gone AND times[1] > edge THEN
    WITH page AS (
      DELETE FROM {pages} AS p WHERE p.key = log AND p.last_time > edge RETURNING p.*
    )
    SELECT min(page.base) AS base, array_agg(e.time ORDER BY page.last_total, e.place) AS times,
      array_agg(e.total ORDER BY page.last_total, e.place) AS totals INTO pulled
      FROM page CROSS JOIN LATERAL unnest(page.times, page.totals) WITH ORDINALITY AS e (time, total, place);
    IF pulled.base IS NOT NULL THEN
      times := pulled.times || times;
      totals := pulled.totals || totals;
      base := pulled.base;
    END IF;
  END IF;
  first := 1 + greatest(width_bucket(edge, times), width_bucket(gone, totals));
  before := coalesce(totals[first - 1], base);
  SELECT coalesce(array_agg(e.time ORDER BY e.place), '{}'),
    coalesce(array_agg(e.total - CASE WHEN e.place < first THEN 0 ELSE weight END ORDER BY e.place), '{}')
    INTO times, totals
    FROM unnest(times, totals) WITH ORDINALITY AS e (time, total, place)
    WHERE e.place < first OR e.total - weight > before;
END {quote};

-- Carries out steps on logs: for each key, in the order that all who lock several keep, four numbers a step:
-- the operation (0 put, 1 charge, 2 refund, 3 peek, 4 reserve, 5 cancel), the weight, the instant (-1 for the
-- time of the trip), and how many times; for reserve the longest wait, and for cancel what the units were booked
-- for. Only puts and peeks come several times at once.
--
-- Returns a row a step: its instant; the time of the newest entry, or -1; for each rate the units left; where not
-- all were admitted, and for reserve, for each rate the wait; and for reserve how long until the units may be
-- used. What is left and the newest time are those after a charge, a refund, a booking or a cancel, and those
-- before anything else.
CREATE OR REPLACE FUNCTION {log}(keys bytea[], may_make boolean[], todo text[], limits float8[], intervals float8[])
  RETURNS SETOF float8[] LANGUAGE plpgsql
  SET enable_seqscan TO off
AS {quote}
#variable_conflict use_variable
DECLARE
  clock float8 := {now};
  rates int := cardinality(limits);
  steps float8[];
  operation float8;
  weight float8;
  at float8;
  count float8;
  times float8[];
  totals float8[];
  base float8;
  gone float8;
  total float8;
  newest float8;
  instant float8;
  entry float8;
  edge float8;
  passed float8;
  fit float8;
  target float8;
  reached float8;
  delay float8;
  units_left float8[];
  waits float8[];
  answer float8[];
  done boolean;
  changed boolean;
  place int;
BEGIN
  FOR k IN 1 .. cardinality(keys) LOOP
    steps := todo[k]::float8[];
    changed := false;
    LOOP
      SELECT l.times, l.totals, l.base, l.gone INTO times, totals, base, gone
        FROM {logs} AS l WHERE l.key = keys[k] FOR UPDATE;
      EXIT WHEN FOUND;
      times := '{}';
      totals := '{}';
      base := 0;
      gone := 0;
      EXIT WHEN NOT may_make[k];
      -- There is nothing to lock yet: whoever comes first makes it, and the others wait for that.
      INSERT INTO {logs} VALUES (keys[k], times, totals, base, gone) ON CONFLICT DO NOTHING;
      EXIT WHEN FOUND;
    END LOOP;

    FOR s IN 1 .. cardinality(steps) BY 4 LOOP
      operation := steps[s];
      weight := steps[s + 1];
      at := CASE WHEN steps[s + 2] < 0 THEN clock ELSE steps[s + 2] END;
      count := CASE WHEN operation < 4 THEN steps[s + 3] ELSE 1 END;
      waits := '{}';
      done := false;
      LOOP
        total := coalesce(totals[cardinality(totals)], 0);
        newest := times[cardinality(times)];
        -- Never before the newest entry, save where that is booked for later; entries go past that, too.
        entry := greatest(at, newest);
        instant := CASE WHEN entry = floor(entry) THEN entry ELSE at END;
        units_left := '{}';
        FOR r IN 1 .. rates LOOP
          edge := instant - intervals[r];
          IF times[1] <= edge THEN
            passed := totals[width_bucket(edge, times)];
          ELSIF base > gone THEN
            passed := {log_total}(keys[k], edge, gone, base);
          ELSE
            passed := gone;
          END IF;
          passed := greatest(passed, gone);
          units_left := units_left || (limits[r] - (total - passed));
        END LOOP;
        answer := ARRAY[at, coalesce(newest, -1)] || units_left;
        EXIT WHEN done;

        IF operation = 2 OR operation = 5 THEN
          -- A log that is as good as new stays as it is, and so does one of which the booking counts no longer.
          EXIT WHEN newest IS NULL OR newest + intervals[rates] <= at;
          EXIT WHEN operation = 5 AND steps[s + 3] + intervals[rates] <= instant;
          changed := true;
          IF operation = 5 THEN
            SELECT c.times, c.totals, c.base INTO times, totals, base
              FROM {log_cancel}(keys[k], steps[s + 3] - 1, weight, gone, times, totals, base) AS c;
            target := coalesce(totals[cardinality(totals)], base);
          ELSE
            gone := passed;
            target := total - weight;
          END IF;
          IF target <= gone THEN
            DELETE FROM {pages} AS p WHERE p.key = keys[k];
            times := '{}';
            totals := '{}';
            base := 0;
            gone := 0;
          ELSE
            WHILE target <= base LOOP
              DELETE FROM {pages} AS p WHERE p.key = keys[k] AND p.last_total = base
                RETURNING p.times, p.totals, p.base INTO STRICT times, totals, base;
            END LOOP;
            place := 1 + width_bucket(target - 1, totals);
            times := times[:place];
            totals := totals[:place - 1] || target;
          END IF;
          done := true;
          CONTINUE;
        END IF;

        fit := 0;
        IF operation = 0 THEN
          fit := count;
          FOR r IN 1 .. rates LOOP
            fit := least(fit, greatest(0, floor(units_left[r] / weight)));
          END LOOP;
        ELSIF operation = 1 THEN
          fit := 1;
        END IF;

        IF fit < count THEN
          FOR r IN 1 .. rates LOOP
            IF weight > 0 AND weight <= limits[r] AND weight > units_left[r] - fit * weight THEN
              -- The wait is for the entry up to which enough units have passed, which may be one of these.
              target := total + fit * weight - (limits[r] - weight);
              IF target > total THEN
                reached := entry;
              ELSIF target > base THEN
                reached := times[1 + width_bucket(target - 1, totals)];
              ELSE
                reached := {log_time}(keys[k], target);
              END IF;
              waits := waits || (ceil(reached) + intervals[r] - at);
            ELSE
              waits := waits || 0::float8;
            END IF;
          END LOOP;
        END IF;

        IF operation = 4 THEN
          -- Not before what was booked last, either.
          delay := ceil(entry) - instant;
          FOR r IN 1 .. rates LOOP
            delay := greatest(delay, waits[r]);
          END LOOP;
          waits := waits || delay;
          EXIT WHEN delay > steps[s + 3];
          fit := 1;
          IF delay > 0 THEN
            entry := at + delay - 0.5;
          END IF;
        END IF;

        EXIT WHEN fit = 0;
        changed := true;
        gone := passed;
        IF total + fit * weight > 9007199254740991 AND gone > 0 THEN
          PERFORM {log_recount}(keys[k], gone);
          totals := ARRAY(SELECT t.total - gone FROM unnest(totals) WITH ORDINALITY AS t (total, place) ORDER BY t.place);
          base := base - gone;
          total := total - gone;
          gone := 0;
        END IF;
        FOR i IN 1 .. fit::int LOOP
          times := times || entry;
          total := total + weight;
          totals := totals || total;
        END LOOP;
        EXIT WHEN operation = 0;
        done := true;
      END LOOP;
      answer := answer || waits;

      WHILE cardinality(times) > {page} LOOP
        place := width_bucket(gone, totals);
        IF place = 0 THEN
          place := {page};
          INSERT INTO {pages} VALUES (keys[k], totals[place], times[place], base, times[:place], totals[:place]);
          DELETE FROM {pages} AS p WHERE p.key = keys[k] AND p.last_total <= gone;
        END IF;
        base := totals[place];
        times := times[place + 1:];
        totals := totals[place + 1:];
      END LOOP;
      RETURN NEXT answer;
    END LOOP;

    IF changed THEN
      UPDATE {logs} AS l SET times = times, totals = totals, base = base, gone = gone WHERE l.key = keys[k];
    END IF;
  END LOOP;
END {quote};

-- Forgets the logs of some keys, in their order, with their pages.
CREATE OR REPLACE FUNCTION {log_drop}(first bytea, until bytea, most int)
  RETURNS int LANGUAGE plpgsql
AS {quote}
DECLARE
  locked bytea[];
BEGIN
  locked := ARRAY(
    SELECT l.key FROM {logs} AS l WHERE l.key >= first AND l.key < until ORDER BY l.key LIMIT most FOR UPDATE);
  DELETE FROM {pages} AS p WHERE p.key = ANY (locked);
  DELETE FROM {logs} AS l WHERE l.key = ANY (locked);
  RETURN cardinality(locked);
END {quote};
