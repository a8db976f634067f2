INSERT INTO {cells} AS c (key, at, units, weight, state, a, b, booked, steps)
SELECT x.key, 0, 0, 1, {kept}, x.steps::float8[]
FROM unnest({key}::bytea[], {steps}::text[]) AS x (key, steps)
CROSS JOIN LATERAL (SELECT {zeros} AS numbers OFFSET 0) AS before
CROSS JOIN LATERAL (SELECT {rule}({zeros}, x.steps::float8[], {now}, {parameters}) AS numbers OFFSET 0) AS after
ON CONFLICT (key) DO UPDATE SET (at, units, weight, state, a, b, booked, steps) = (
  SELECT 0, 0, 1, {kept}, NULL::float8[]
  FROM (SELECT {folded} AS numbers OFFSET 0) AS before
  CROSS JOIN LATERAL (
    SELECT {rule}(before.numbers, excluded.steps, {now}, {parameters}) AS numbers OFFSET 0
  ) AS after
)
RETURNING {now}, {found}
