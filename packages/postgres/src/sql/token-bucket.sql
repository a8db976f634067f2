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

-- The state after steps: four numbers each, which are the operation (0 put, 1 charge, 2 refund, 3 reserve,
-- 4 cancel), the weight, the instant (-1 for now), and how many times; for reserve and cancel, which come once,
-- the longest wait, and when time would have given back all that was in use right after the booking.
CREATE OR REPLACE FUNCTION {bucket}(state float8[], steps float8[], now float8, parameters float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  operation float8;
  at float8;
  fit float8;
  used float8;
  need float8;
  next float8[];
  i int;
BEGIN
  state := state[:cardinality(parameters) / 3 * 2];
  FOR s IN 1 .. cardinality(steps) BY 4 LOOP
    operation := steps[s];
    at := CASE WHEN steps[s + 2] < 0 THEN now ELSE steps[s + 2] END;
    fit := CASE WHEN operation >= 3 THEN 1 ELSE steps[s + 3] END;
    CONTINUE WHEN operation IN (2, 4) AND {bucket_idle}(state, at, parameters);
    next := state;
    i := 1;
    FOR p IN 1 .. cardinality(parameters) BY 3 LOOP
      used := state[i + 1];
      IF at > state[i] THEN
        used := greatest(0, used - (at - state[i]) * parameters[p]);
        next[i] := at;
      END IF;
      need := steps[s + 1] * parameters[p + 1];
      next[i + 1] := CASE operation
        WHEN 2 THEN greatest(0, used - need)
        WHEN 4 THEN greatest(0, used - least(need, greatest(0, steps[s + 3] - next[i]) * parameters[p]))
        ELSE used
      END;
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
    IF operation NOT IN (2, 4) THEN
      i := 2;
      FOR p IN 2 .. cardinality(parameters) BY 3 LOOP
        next[i] := next[i] + fit * (steps[s + 1] * parameters[p]);
        i := i + 2;
      END LOOP;
    END IF;
    state := next;
  END LOOP;
  RETURN state;
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
