-- Drops a cell that still has a state.
DELETE FROM {cells} AS c WHERE c.key = {key}::bytea AND ({folded})[:{width}] = {was}::float8[] RETURNING 1
