INSERT INTO {cells} AS c (key, at, state, units, weight, steps)
{source}
ON CONFLICT (key) DO UPDATE SET
  state = {rule}(c.state, c.at, c.units, c.weight, c.steps, {parameters}),
  at = excluded.at,
  units = excluded.units,
  weight = excluded.weight,
  steps = excluded.steps
RETURNING at, {numbers}
