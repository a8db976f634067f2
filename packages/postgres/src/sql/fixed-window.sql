-- The fixed window, see fixed-window.ts of @sluice/core: two numbers a rate, the start of the window and the
-- units counted in it. The parameters are, for each rate, its limit and its interval.

-- Whether a state is as good as new.
CREATE OR REPLACE FUNCTION {window_idle}(state float8[], now float8, parameters float8[])
  RETURNS boolean LANGUAGE plpgsql IMMUTABLE
AS {quote}
BEGIN
  FOR i IN 1 .. cardinality(parameters) BY 2 LOOP
    IF state[i + 1] > 0 AND now < state[i] + parameters[i + 1] THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END {quote};

-- The state after steps: four numbers each, which are the operation (0 put, 1 charge, 2 refund), the weight,
-- the instant (-1 for now), and how many times.
CREATE OR REPLACE FUNCTION {window}(state float8[], steps float8[], now float8, parameters float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  operation float8;
  weight float8;
  at float8;
  fit float8;
  counted float8;
BEGIN
  state := state[:cardinality(parameters)];
  FOR s IN 1 .. cardinality(steps) BY 4 LOOP
    operation := steps[s];
    weight := steps[s + 1];
    at := CASE WHEN steps[s + 2] < 0 THEN now ELSE steps[s + 2] END;
    fit := steps[s + 3];
    IF operation = 0 THEN
      FOR i IN 1 .. cardinality(parameters) BY 2 LOOP
        counted := CASE WHEN at < state[i] + parameters[i + 1] THEN state[i + 1] ELSE 0 END;
        fit := least(fit, floor((parameters[i] - counted) / weight));
      END LOOP;
    END IF;
    CONTINUE WHEN fit < 1;
    FOR i IN 1 .. cardinality(parameters) BY 2 LOOP
      counted := CASE WHEN at < state[i] + parameters[i + 1] THEN state[i + 1] ELSE 0 END;
      IF operation < 2 THEN
        IF counted = 0 THEN
          state[i] := at;
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

-- The numbers of one rate after the puts that are left in its cell; the planner makes expressions of these two.
CREATE OR REPLACE FUNCTION {window_a}(
  a float8, b float8, at float8, units float8, weight float8, most float8, span float8)
  RETURNS float8 LANGUAGE sql IMMUTABLE
AS {quote}
  SELECT CASE WHEN at >= a + span OR b = 0 THEN at ELSE a END
{quote};

CREATE OR REPLACE FUNCTION {window_b}(
  a float8, b float8, at float8, units float8, weight float8, most float8, span float8)
  RETURNS float8 LANGUAGE sql IMMUTABLE
AS {quote}
  SELECT CASE
    WHEN at >= a + span THEN units
    WHEN b + units <= most THEN b + units
    WHEN b + weight <= most THEN b + floor((most - b) / weight) * weight
    ELSE b
  END
{quote};
