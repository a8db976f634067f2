INSERT INTO {cells} AS c (key, at, units, weight, a, b, state)
VALUES ({key}::bytea, {instant}, {units}::float8, {weight}::float8, 0, 0, {fresh})
{update}
