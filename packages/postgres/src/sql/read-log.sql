SELECT {now}, e.gone, e.times, e.totals FROM (SELECT) AS one
LEFT JOIN (
  SELECT l.base, l.gone, l.times, l.totals FROM {logs} AS l WHERE l.key = $1
  UNION ALL
  SELECT p.base, NULL, p.times, p.totals FROM {pages} AS p WHERE p.key = $1
) AS e ON true
ORDER BY e.base
