WITH written AS (
{trip}
)
SELECT * FROM written
UNION ALL
{read}
