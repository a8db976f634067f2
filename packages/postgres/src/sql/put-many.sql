INSERT INTO {cells} AS c (key, at, units, weight, a, b, state)
SELECT x.key, {instant}, x.units, x.weight, 0, 0, {fresh}
FROM unnest({key}::bytea[], {units}::float8[], {weight}::float8[]) AS x (key, units, weight)
{update}
