WITH written AS (
{carry_out}
)
SELECT * FROM written
UNION ALL
{read}
