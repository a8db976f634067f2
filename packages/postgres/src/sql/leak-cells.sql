-- Looks at some cells in the order of their keys and drops those that are as good as new, save those that somebody uses.
WITH instant AS (
  SELECT coalesce({at}::float8, {now}) AS now
), seen AS MATERIALIZED (
  SELECT c.key, {idle}({folded}, instant.now, {parameters}) AS idle
  FROM {cells} AS c, instant WHERE c.key >= {first} AND c.key < {end} ORDER BY c.key LIMIT {most}
), locked AS MATERIALIZED (
  SELECT c.ctid FROM instant, seen JOIN {cells} AS c ON c.key = seen.key
  WHERE seen.idle AND {idle}({folded}, instant.now, {parameters})
  FOR UPDATE OF c SKIP LOCKED
), dropped AS (
  DELETE FROM {cells} AS c USING locked WHERE c.ctid = locked.ctid RETURNING 1
)
SELECT (SELECT key FROM seen ORDER BY key DESC LIMIT 1), (SELECT count(*) FROM seen), (SELECT count(*) FROM dropped)
