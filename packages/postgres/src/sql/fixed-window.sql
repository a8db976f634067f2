-- The fixed window, see fixed-window.ts of @sluice/core: two numbers a rate, the start of the window and the
-- units counted in it. The parameters are, for each rate, its limit and its interval.

-- Whether a state is as good as new.
CREATE OR REPLACE FUNCTION {window_idle}(state float8[], now float8, parameters float8[])
  RETURNS boolean LANGUAGE plpgsql IMMUTABLE
AS {quote}
BEGIN
  FOR i IN 1 .. cardinality(state) BY 2 LOOP
    IF state[i + 1] > 0 AND now < state[i] + parameters[i + 1] THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END {quote};

-- The state after any steps.
CREATE OR REPLACE FUNCTION {window_steps}(
  state float8[], at float8, units float8, weight float8, steps float8[], parameters float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  now float8;
  operation float8;
  counted float8;
  fit float8;
BEGIN
  IF steps IS NULL THEN
    steps := ARRAY[0, weight, -1, units / weight];
  END IF;
  FOR s IN 1 .. cardinality(steps) BY 4 LOOP
    operation := steps[s];
    weight := steps[s + 1];
    now := CASE WHEN steps[s + 2] < 0 THEN at ELSE steps[s + 2] END;
    fit := steps[s + 3];
    IF operation = 0 THEN
      FOR i IN 1 .. cardinality(state) BY 2 LOOP
        counted := CASE WHEN now < state[i] + parameters[i + 1] THEN state[i + 1] ELSE 0 END;
        fit := least(fit, floor((parameters[i] - counted) / weight));
      END LOOP;
    END IF;
    CONTINUE WHEN fit < 1;
    FOR i IN 1 .. cardinality(state) BY 2 LOOP
      counted := CASE WHEN now < state[i] + parameters[i + 1] THEN state[i + 1] ELSE 0 END;
      IF operation < 2 THEN
        IF counted = 0 THEN
          state[i] := now;
        END IF;
        state[i + 1] := counted + fit * weight;
      ELSIF counted > 0 THEN
        -- A window that has ended stays as it is.
        state[i + 1] := greatest(0, counted - weight);
      END IF;
    END LOOP;
  END LOOP;
  RETURN state;
END {quote};

-- The state after the last trip of a cell. Where one rate admits all that was put, which is most of the
-- time, the planner makes this one expression and no call.
CREATE OR REPLACE FUNCTION {window}(
  state float8[], at float8, units float8, weight float8, steps float8[], parameters float8[])
  RETURNS float8[] LANGUAGE sql IMMUTABLE
AS {quote}
  SELECT CASE
    WHEN steps IS NULL AND cardinality(parameters) = 2 AND state[2] > 0
      AND at < state[1] + parameters[2] AND state[2] + units <= parameters[1]
    THEN ARRAY[state[1], state[2] + units]
    WHEN steps IS NULL AND cardinality(parameters) = 2 AND at >= state[1] + parameters[2] AND units <= parameters[1]
    THEN ARRAY[at, units]
    ELSE {window_steps}(state, at, units, weight, steps, parameters)
  END
{quote};
