-- Others who make the same tables wait here.
SELECT pg_advisory_xact_lock(hashtext('sluice'), hashtext({cells_text}));

DO {quote}
DECLARE
  found int := substring(obj_description(to_regclass({cells_text}), 'pg_class') FROM '^Sluice (\d+)');
BEGIN
  IF found > {version} THEN
    RAISE EXCEPTION 'its version is %, and this Sluice knows versions up to {version}: update @sluice/postgres', found;
  END IF;
  -- It gave other columns.
  IF found < 4 THEN
    DROP FUNCTION IF EXISTS {find}(bytea[]);
  END IF;
END {quote};

-- A cell holds its state before the last puts, and those puts: the next trip works them into the state that
-- it finds, and leaves its own. So one upsert can give back the state before it, which RETURNING cannot see,
-- and works out one state and not two.
CREATE {unlogged} TABLE IF NOT EXISTS {cells} (
  key bytea PRIMARY KEY,
  -- When the last puts came, in microseconds since 1970, how many units they asked for in all, and how many each
  -- time; no units where the state is that after them.
  at float8 NOT NULL,
  units float8 NOT NULL,
  weight float8 NOT NULL,
  -- The numbers of the kernel, where they are two: reading them from an array takes longer.
  a float8 NOT NULL,
  b float8 NOT NULL,
  -- The same where they are more. A trip of anything but puts leaves the numbers before it here, behind those.
  state float8[],
  -- How the steps of such a trip get to the row that they are for.
  steps float8[],
  -- What can be given back of bookings, see open-bookings.ts of @sluice/core: rows behind the numbers of the
  -- state before the last puts.
  booked float8[]
) WITH (fillfactor = 70);

ALTER TABLE {cells} ADD COLUMN IF NOT EXISTS booked float8[];

-- The newest entries of a log, oldest first.
CREATE {unlogged} TABLE IF NOT EXISTS {logs} (
  key bytea PRIMARY KEY,
  -- When each was made, in microseconds, and the units up to it, counted on from page to page.
  times float8[] NOT NULL,
  totals float8[] NOT NULL,
  -- Units before the first of them, and units that are forgotten.
  base float8 NOT NULL,
  gone float8 NOT NULL
) WITH (fillfactor = 50);

-- The older entries, in pages that are written once.
CREATE {unlogged} TABLE IF NOT EXISTS {pages} (
  key bytea NOT NULL,
  last_total float8 NOT NULL,
  last_time float8 NOT NULL,
  base float8 NOT NULL,
  times float8[] NOT NULL,
  totals float8[] NOT NULL,
  PRIMARY KEY (key, last_total),
  UNIQUE (key, last_time, last_total)
);

-- The cells of some keys in the order of the keys, NULL where there is none: by index, however small the
-- table was when the plan was made.
CREATE OR REPLACE FUNCTION {find}(keys bytea[])
  RETURNS TABLE (at float8, units float8, weight float8, a float8, b float8, state float8[], booked float8[])
  LANGUAGE sql STABLE
  SET enable_seqscan TO off
AS {quote}
  SELECT c.at, c.units, c.weight, c.a, c.b, c.state, c.booked
  FROM unnest(keys) WITH ORDINALITY AS wanted (key, place)
  LEFT JOIN LATERAL (SELECT * FROM {cells} AS cell WHERE cell.key = wanted.key OFFSET 0) AS c ON true
  ORDER BY wanted.place
{quote};
