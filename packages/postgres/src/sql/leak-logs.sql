-- Looks at some logs in the order of their keys and drops those that are as good as new, save those that somebody uses.
WITH instant AS (
  SELECT coalesce($3::float8, {now}) - {longest}::float8 AS edge
), seen AS MATERIALIZED (
  SELECT l.key, coalesce(l.times[cardinality(l.times)] <= instant.edge, true) AS idle
  FROM {logs} AS l, instant WHERE l.key >= $1 AND l.key < $2 ORDER BY l.key LIMIT $4
), locked AS MATERIALIZED (
  SELECT l.ctid, l.key FROM instant, seen JOIN {logs} AS l ON l.key = seen.key
  WHERE seen.idle AND coalesce(l.times[cardinality(l.times)] <= instant.edge, true)
  FOR UPDATE OF l SKIP LOCKED
), dropped AS (
  DELETE FROM {logs} AS l USING locked WHERE l.ctid = locked.ctid RETURNING l.key
), pages AS (
  DELETE FROM {pages} AS p USING dropped WHERE p.key = dropped.key
)
SELECT (SELECT key FROM seen ORDER BY key DESC LIMIT 1), (SELECT count(*) FROM seen), (SELECT count(*) FROM dropped)
