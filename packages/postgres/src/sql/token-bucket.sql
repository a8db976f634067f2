-- The token bucket, see token-bucket.ts of @sluice/core: two numbers a rate, the time of its last change and
-- the steps that are used. The parameters are, for each rate, what a microsecond gives back, what a unit
-- takes, and what a full bucket holds.

-- Whether a state is as good as new.
CREATE OR REPLACE FUNCTION {bucket_idle}(state float8[], now float8, parameters float8[])
  RETURNS boolean LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  p int := 1;
BEGIN
  FOR i IN 1 .. cardinality(state) BY 2 LOOP
    IF state[i] > now OR state[i + 1] > (now - state[i]) * parameters[p] THEN
      RETURN false;
    END IF;
    p := p + 3;
  END LOOP;
  RETURN true;
END {quote};

-- The state after any steps.
CREATE OR REPLACE FUNCTION {bucket_steps}(
  state float8[], at float8, units float8, weight float8, steps float8[], parameters float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  now float8;
  operation float8;
  used float8;
  need float8;
  fit float8;
  next float8[];
  p int;
BEGIN
  IF steps IS NULL THEN
    steps := ARRAY[0, weight, -1, units / weight];
  END IF;
  FOR s IN 1 .. cardinality(steps) BY 4 LOOP
    operation := steps[s];
    now := CASE WHEN steps[s + 2] < 0 THEN at ELSE steps[s + 2] END;
    fit := steps[s + 3];
    CONTINUE WHEN operation = 2 AND {bucket_idle}(state, now, parameters);
    next := state;
    p := 1;
    FOR i IN 1 .. cardinality(state) BY 2 LOOP
      used := state[i + 1];
      IF now > state[i] THEN
        used := greatest(0, used - (now - state[i]) * parameters[p]);
        next[i] := now;
      END IF;
      need := steps[s + 1] * parameters[p + 1];
      IF operation = 2 THEN
        next[i + 1] := greatest(0, used - need);
      ELSE
        next[i + 1] := used;
        IF operation = 0 AND fit > 1 THEN
          fit := least(fit, floor((parameters[p + 2] - used) / need));
        ELSIF operation = 0 AND used + need > parameters[p + 2] THEN
          fit := 0;
        END IF;
      END IF;
      p := p + 3;
    END LOOP;
    CONTINUE WHEN fit < 1;
    IF operation < 2 THEN
      p := 2;
      FOR i IN 2 .. cardinality(state) BY 2 LOOP
        next[i] := next[i] + fit * (steps[s + 1] * parameters[p]);
        p := p + 3;
      END LOOP;
    END IF;
    state := next;
  END LOOP;
  RETURN state;
END {quote};

-- The state after the last trip of a cell. Where one rate admits all that was put, which is most of the
-- time, the planner makes this one expression and no call.
CREATE OR REPLACE FUNCTION {bucket}(
  state float8[], at float8, units float8, weight float8, steps float8[], parameters float8[])
  RETURNS float8[] LANGUAGE sql IMMUTABLE
AS {quote}
  SELECT CASE
    WHEN steps IS NULL AND cardinality(parameters) = 3
      AND greatest(0, state[2] - greatest(0, at - state[1]) * parameters[1]) + units * parameters[2] <= parameters[3]
    THEN ARRAY[
      greatest(at, state[1]),
      greatest(0, state[2] - greatest(0, at - state[1]) * parameters[1]) + units * parameters[2]
    ]
    ELSE {bucket_steps}(state, at, units, weight, steps, parameters)
  END
{quote};
