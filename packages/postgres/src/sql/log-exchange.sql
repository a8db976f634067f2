-- Replaces a log where it still is as it was seen, and says whether it was. It is known by its newest entries,
-- as many as a row holds, and their totals, which count from its oldest entry on: those of a log that changed in
-- any way are others, since whatever is forgotten changes them all.
CREATE OR REPLACE FUNCTION {log_exchange}(
  log bytea, seen_times float8[], seen_totals float8[], times float8[], totals float8[])
  RETURNS boolean LANGUAGE plpgsql
  SET enable_seqscan TO off
AS {quote}
#variable_conflict use_variable
DECLARE
  found_row record;
  first int;
  base float8 := 0;
BEGIN
  IF cardinality(seen_times) = 0 THEN
    -- There may be nothing to lock yet.
    INSERT INTO {logs} VALUES (log, '{}', '{}', 0, 0) ON CONFLICT DO NOTHING;
  END IF;
  SELECT l.times, l.totals, l.gone INTO found_row FROM {logs} AS l WHERE l.key = log FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  first := 1 + width_bucket(found_row.gone, found_row.totals);
  IF found_row.times[first:] <> seen_times[1 + cardinality(seen_times) - cardinality(found_row.times[first:]):]
    OR ARRAY(
      SELECT t.total - found_row.gone FROM unnest(found_row.totals[first:]) WITH ORDINALITY AS t (total, place)
      ORDER BY t.place
    ) <> seen_totals[1 + cardinality(seen_totals) - cardinality(found_row.times[first:]):]
    OR (cardinality(seen_times) > 0) <> (cardinality(found_row.times[first:]) > 0)
  THEN
    RETURN false;
  END IF;

  DELETE FROM {pages} AS p WHERE p.key = log;
  IF cardinality(times) = 0 THEN
    DELETE FROM {logs} AS l WHERE l.key = log;
    RETURN true;
  END IF;
  WHILE cardinality(times) > {page} LOOP
    INSERT INTO {pages} VALUES (log, totals[{page}], times[{page}], base, times[:{page}], totals[:{page}]);
    base := totals[{page}];
    times := times[{page} + 1:];
    totals := totals[{page} + 1:];
  END LOOP;
  UPDATE {logs} AS l SET times = times, totals = totals, base = base, gone = 0 WHERE l.key = log;
  RETURN true;
END {quote};
