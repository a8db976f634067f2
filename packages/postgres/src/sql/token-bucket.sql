-- The token bucket, see token-bucket.ts of @sluice/core: two numbers a rate, the time of its last change and
-- the steps that are used. The parameters are, for each rate, what a microsecond gives back, what a unit
-- takes, and what a full bucket holds.

-- Whether a state is as good as new.
CREATE OR REPLACE FUNCTION {bucket_idle}(state float8[], now float8, parameters float8[])
  RETURNS boolean LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  i int := 1;
BEGIN
  FOR p IN 1 .. cardinality(parameters) BY 3 LOOP
    IF state[i] > now OR state[i + 1] > (now - state[i]) * parameters[p] THEN
      RETURN false;
    END IF;
    i := i + 2;
  END LOOP;
  RETURN true;
END {quote};

-- Rows of bookings after less is in use under each rate, or, where `given` says how much, after so much was given
-- back of a booking; none when nothing can be given back any more, and no number could be given out again. See
-- open-bookings.ts of @sluice/core.
CREATE OR REPLACE FUNCTION {bucket_rows}(
  rows float8[], used float8[], now float8, given float8[], number float8, lowest float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  width int := cardinality(used) + 1;
  changed float8[] := '{}';
  counts boolean := false;
  own float8[];
  last float8[];
BEGIN
  FOR r IN 1 .. cardinality(rows) BY width LOOP
    own := '{}';
    FOR i IN 1 .. width - 1 LOOP
      own := own || CASE
        WHEN given IS NULL THEN least(rows[r + i], used[i])
        WHEN rows[r] >= number THEN rows[r + i] - given[i]
        ELSE least(rows[r + i], lowest[i] - given[i])
      END;
      counts := counts OR own[i] > 0;
    END LOOP;
    -- Of rows that say the same the last stays.
    IF own = last THEN
      changed := changed[:cardinality(changed) - width];
    END IF;
    changed := changed || rows[r] || own;
    last := own;
  END LOOP;
  RETURN CASE WHEN counts OR changed[cardinality(changed) - width + 1] > now THEN changed ELSE '{}' END;
END {quote};

-- The state after steps: four numbers each, which are the operation (0 put, 1 charge, 2 refund, 3 reserve,
-- 4 cancel), the weight, the instant (-1 for now), and how many times; for reserve and cancel, which come once,
-- the longest wait, and the number of the booking. Behind the numbers of the state are its rows of bookings.
CREATE OR REPLACE FUNCTION {bucket}(state float8[], steps float8[], now float8, parameters float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  rates int := cardinality(parameters) / 3;
  rows float8[] := state[rates * 2 + 1:];
  operation float8;
  at float8;
  fit float8;
  used float8;
  need float8;
  next float8[];
  -- What is in use under each rate, and then what was the least of it since a booking, and what is given of it back.
  levels float8[];
  lowest float8[];
  given float8[];
  near float8;
  nearest float8;
  best int;
  i int;
BEGIN
  state := state[:rates * 2];
  FOR s IN 1 .. cardinality(steps) BY 4 LOOP
    operation := steps[s];
    at := CASE WHEN steps[s + 2] < 0 THEN now ELSE steps[s + 2] END;
    fit := CASE WHEN operation >= 3 THEN 1 ELSE steps[s + 3] END;
    CONTINUE WHEN operation IN (2, 4) AND {bucket_idle}(state, at, parameters);
    next := state;
    levels := '{}';
    i := 1;
    FOR p IN 1 .. cardinality(parameters) BY 3 LOOP
      used := state[i + 1];
      IF at > state[i] THEN
        used := greatest(0, used - (at - state[i]) * parameters[p]);
        next[i] := at;
      END IF;
      need := steps[s + 1] * parameters[p + 1];
      next[i + 1] := CASE operation WHEN 2 THEN greatest(0, used - need) ELSE used END;
      levels := levels || next[i + 1];
      IF operation = 0 AND fit > 1 THEN
        fit := least(fit, floor((parameters[p + 2] - used) / need));
      ELSIF operation = 0 AND used + need > parameters[p + 2] THEN
        fit := 0;
      ELSIF operation = 3 AND used + need > parameters[p + 2]
        AND greatest(0, state[i] - at) + ceil((used + need - parameters[p + 2]) / parameters[p]) > steps[s + 3] THEN
        fit := 0;
      END IF;
      i := i + 2;
    END LOOP;
    CONTINUE WHEN fit < 1;
    IF cardinality(rows) > 0 THEN
      rows := {bucket_rows}(rows, levels, at, NULL, NULL, NULL);
    END IF;
    IF operation = 4 THEN
      CONTINUE WHEN cardinality(rows) = 0;
      lowest := array_fill(0::float8, ARRAY[rates]);
      FOR r IN 1 .. cardinality(rows) BY rates + 1 LOOP
        IF rows[r] >= steps[s + 3] THEN
          lowest := rows[r + 1:r + rates];
          EXIT;
        END IF;
      END LOOP;
      given := '{}';
      FOR rate IN 1 .. rates LOOP
        given := given || least(steps[s + 1] * parameters[rate * 3 - 1], lowest[rate]);
        next[rate * 2] := greatest(0, next[rate * 2] - given[rate]);
      END LOOP;
      rows := {bucket_rows}(rows, levels, at, given, steps[s + 3], lowest);
    ELSIF operation <> 2 THEN
      i := 2;
      FOR p IN 2 .. cardinality(parameters) BY 3 LOOP
        next[i] := next[i] + fit * (steps[s + 1] * parameters[p]);
        i := i + 2;
      END LOOP;
    END IF;
    IF operation = 3 THEN
      used := greatest(next[1], coalesce(rows[cardinality(rows) - rates], 0)) + 1;
      IF cardinality(rows) = 0 THEN
        rows := (used - 1) || array_fill(0::float8, ARRAY[rates]);
      END IF;
      rows := rows || used;
      FOR rate IN 1 .. rates LOOP
        rows := rows || next[rate * 2];
      END LOOP;
      -- Where there are more than that, the two of which the least differs the least share one.
      IF cardinality(rows) > {most_rows} * (rates + 1) THEN
        nearest := -1;
        FOR r IN 1 .. cardinality(rows) - rates - 1 BY rates + 1 LOOP
          near := 1;
          FOR c IN r + 1 .. r + rates LOOP
            IF rows[c + rates + 1] > 0 THEN
              near := least(near, rows[c] / rows[c + rates + 1]);
            END IF;
          END LOOP;
          IF near > nearest THEN
            best := r;
            nearest := near;
          END IF;
        END LOOP;
        rows[best] := rows[best + rates + 1];
        rows := rows[:best + rates] || rows[best + 2 * (rates + 1):];
      END IF;
    END IF;
    state := next;
  END LOOP;
  RETURN state || rows;
END {quote};

-- What is used of one rate after puts that do not all fit.
CREATE OR REPLACE FUNCTION {bucket_rest}(
  a float8, b float8, at float8, units float8, weight float8, refill float8, unit float8, most float8)
  RETURNS float8 LANGUAGE plpgsql IMMUTABLE
AS {quote}
BEGIN
  RETURN ({bucket}(ARRAY[a, b], ARRAY[0, weight, -1, units / weight], at, ARRAY[refill, unit, most]))[2];
END {quote};

-- The numbers of one rate after the puts that are left in its cell; the planner makes expressions of these two,
-- so each part costs. What would be used below 0 fits whatever comes.
CREATE OR REPLACE FUNCTION {bucket_a}(
  a float8, b float8, at float8, units float8, weight float8, refill float8, unit float8, most float8)
  RETURNS float8 LANGUAGE sql IMMUTABLE
AS {quote}
  SELECT CASE WHEN b - greatest(0, at - a) * refill + weight * unit <= most THEN greatest(at, a) ELSE a END
{quote};

CREATE OR REPLACE FUNCTION {bucket_b}(
  a float8, b float8, at float8, units float8, weight float8, refill float8, unit float8, most float8)
  RETURNS float8 LANGUAGE sql IMMUTABLE
AS {quote}
  SELECT CASE
    WHEN b - greatest(0, at - a) * refill + units * unit <= most
    THEN greatest(0, b - greatest(0, at - a) * refill) + units * unit
    ELSE {bucket_rest}(a, b, at, units, weight, refill, unit, most)
  END
{quote};
