WITH flushed AS (
  DELETE FROM {cells} AS c WHERE c.key IN (
    SELECT found.key FROM {cells} AS found WHERE found.key >= $1 AND found.key < $2 ORDER BY found.key LIMIT $3
  ) RETURNING 1
)
SELECT count(*) FROM flushed
