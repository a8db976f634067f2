-- The sliding window log, see sliding-window-log.ts of @sluice/core. The newest entries lie in the row of
-- the log, and older ones in pages beside it. Totals are counted on through the life of a log: `base` is the
-- one before the first entry of the row, and what lies up to `gone` is forgotten. Only an empty log has none
-- in its row.

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

-- Carries out steps on logs: for each key, in the order that all who lock several keep, four numbers a step:
-- the operation (0 put, 1 charge, 2 refund, 3 peek), the weight, the instant (-1 for the time of the trip),
-- and how many times. Only a put comes several times at once.
--
-- Returns a row a step: its instant; the time of the newest entry, or -1; for each rate the units left; and,
-- where not all were admitted, for each rate the wait. What is left and the newest time are those before a
-- put or a peek, and after a charge or a refund.
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
  edge float8;
  passed float8;
  fit float8;
  target float8;
  units_left float8[];
  answer float8[];
  refunding boolean;
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
      count := steps[s + 3];
      refunding := operation = 2;
      LOOP
        total := coalesce(totals[cardinality(totals)], 0);
        newest := times[cardinality(times)];
        instant := greatest(at, newest);
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
        -- A log that is as good as new stays as it is.
        EXIT WHEN NOT refunding OR newest IS NULL OR newest + intervals[rates] <= at;
        refunding := false;
        changed := true;
        gone := passed;
        target := total - weight;
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
      END LOOP;

      fit := 0;
      IF operation = 0 THEN
        fit := count;
        FOR r IN 1 .. rates LOOP
          fit := least(fit, greatest(0, floor(units_left[r] / weight)));
        END LOOP;
      ELSIF operation = 1 THEN
        fit := 1;
      END IF;
      answer := ARRAY[at, coalesce(newest, -1)] || units_left;

      IF fit > 0 THEN
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
          times := times || instant;
          total := total + weight;
          totals := totals || total;
        END LOOP;
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
      END IF;

      IF operation = 1 THEN
        answer[2] := instant;
        FOR r IN 1 .. rates LOOP
          answer[r + 2] := answer[r + 2] - weight;
        END LOOP;
      ELSIF operation <> 2 AND fit < count THEN
        FOR r IN 1 .. rates LOOP
          IF weight > 0 AND weight <= limits[r] AND weight > units_left[r] - fit * weight THEN
            -- The wait is for the entry up to which enough units have passed.
            target := total - (limits[r] - weight);
            IF target > base THEN
              passed := times[1 + width_bucket(target - 1, totals)];
            ELSE
              passed := {log_time}(keys[k], target);
            END IF;
            answer := answer || (passed + intervals[r] - at);
          ELSE
            answer := answer || 0::float8;
          END IF;
        END LOOP;
      END IF;
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
