-- The sliding window counter, see sliding-window-counter.ts of @sluice/core: three numbers a rate, the start
-- of the window, the units counted in it, and those of the window before. The parameters are, for each rate,
-- its limit and its interval.

-- The windows of one rate as they stand at an instant: their start, the units counted, those of the window
-- before, and the microseconds of that which are still in view.
CREATE OR REPLACE FUNCTION {counter_look}(started float8, counted float8, before float8, now float8, span float8)
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  -- An item from before the window counts as made at its start.
  instant float8 := greatest(now, started);
  -- Below 2^53 the quotient is never rounded up to the next whole number.
  aligned float8 := floor(instant / span) * span;
BEGIN
  IF aligned = started THEN
    RETURN ARRAY[aligned, counted, before, aligned + span - instant];
  ELSIF aligned = started + span THEN
    RETURN ARRAY[aligned, 0, counted, aligned + span - instant];
  END IF;
  RETURN ARRAY[aligned, 0, 0, aligned + span - instant];
END {quote};

-- Whether a state is as good as new.
CREATE OR REPLACE FUNCTION {counter_idle}(state float8[], now float8, parameters float8[])
  RETURNS boolean LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  looked float8[];
  i int := 1;
BEGIN
  FOR p IN 1 .. cardinality(parameters) BY 2 LOOP
    looked := {counter_look}(state[i], state[i + 1], state[i + 2], now, parameters[p + 1]);
    IF looked[2] > 0 OR looked[3] > 0 THEN
      RETURN false;
    END IF;
    i := i + 3;
  END LOOP;
  RETURN true;
END {quote};

-- The state after steps: four numbers each, which are the operation (0 put, 1 charge, 2 refund), the weight,
-- the instant (-1 for now), and how many times.
CREATE OR REPLACE FUNCTION {counter}(state float8[], steps float8[], now float8, parameters float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  operation float8;
  weight float8;
  at float8;
  fit float8;
  newest float8;
  looked float8[];
  next float8[];
  i int;
BEGIN
  state := state[:cardinality(parameters) / 2 * 3];
  FOR s IN 1 .. cardinality(steps) BY 4 LOOP
    operation := steps[s];
    weight := steps[s + 1];
    at := CASE WHEN steps[s + 2] < 0 THEN now ELSE steps[s + 2] END;
    fit := steps[s + 3];
    CONTINUE WHEN operation = 2 AND {counter_idle}(state, at, parameters);
    next := state;
    i := 1;
    FOR p IN 1 .. cardinality(parameters) BY 2 LOOP
      looked := {counter_look}(state[i], state[i + 1], state[i + 2], at, parameters[p + 1]);
      next[i] := looked[1];
      next[i + 1] := looked[2];
      next[i + 2] := looked[3];
      IF operation = 0 THEN
        IF fit > 1 THEN
          -- Two more than the quotient says: what follows asks as the kernel does.
          fit := least(fit, 2 + greatest(0, floor(
            (parameters[p] - looked[2] - looked[3] * looked[4] / parameters[p + 1]) / weight)));
        END IF;
        WHILE fit > 0
          AND looked[3] * looked[4] > (parameters[p] - looked[2] - fit * weight) * parameters[p + 1] LOOP
          fit := fit - 1;
        END LOOP;
      ELSIF operation = 2 THEN
        newest := least(weight, looked[2]);
        next[i + 1] := looked[2] - newest;
        next[i + 2] := greatest(0, looked[3] - (weight - newest));
      END IF;
      i := i + 3;
    END LOOP;
    CONTINUE WHEN fit < 1;
    IF operation < 2 THEN
      i := 2;
      FOR p IN 1 .. cardinality(parameters) BY 2 LOOP
        next[i] := next[i] + fit * weight;
        i := i + 3;
      END LOOP;
    END IF;
    state := next;
  END LOOP;
  RETURN state;
END {quote};
