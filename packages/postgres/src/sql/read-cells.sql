SELECT {now}, {numbers} FROM (
  SELECT CASE WHEN c.at IS NULL THEN {zeros} ELSE {folded} END AS state FROM {find}({wanted}::bytea[]) AS c OFFSET 0
) AS cell
