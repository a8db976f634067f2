ON CONFLICT (key) DO UPDATE SET
  {next},
  at = excluded.at,
  units = excluded.units,
  weight = excluded.weight,
  steps = NULL
RETURNING at, {numbers}
