-- Writes a state where there is no cell, or one that is all new.
INSERT INTO {cells} AS c (key, at, units, weight, a, b, state, booked)
VALUES ({key}::bytea, 0, 0, 1, {made})
ON CONFLICT (key) DO UPDATE SET at = 0, units = 0, weight = 1, {set}, steps = NULL WHERE ({folded})[:{width}] = {zeros}
RETURNING 1
