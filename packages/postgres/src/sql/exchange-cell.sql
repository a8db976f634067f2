-- Writes a state where the cell still has another one.
UPDATE {cells} AS c SET at = 0, units = 0, weight = 1, {set}, steps = NULL
WHERE c.key = {key}::bytea AND ({folded})[:{width}] = {was}::float8[]
RETURNING 1
