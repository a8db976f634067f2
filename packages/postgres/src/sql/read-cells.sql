SELECT {now}, {numbers} FROM (
  SELECT CASE
    WHEN c.state IS NULL THEN {fresh}
    ELSE {rule}(c.state, c.at, c.units, c.weight, c.steps, {parameters})
  END AS state
  FROM {find}({wanted}::bytea[]) AS c OFFSET 0
) AS cell
