INSERT INTO {cells} AS c (key, at, units, weight, a, b, state)
SELECT x.key, {instant}, x.units, {weight}::float8, 0, 0, {fresh}
FROM unnest({key}::bytea[], {units}::float8[]) AS x (key, units)
{update}
