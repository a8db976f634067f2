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
  p int := 2;
BEGIN
  FOR i IN 1 .. cardinality(state) BY 3 LOOP
    looked := {counter_look}(state[i], state[i + 1], state[i + 2], now, parameters[p]);
    IF looked[2] > 0 OR looked[3] > 0 THEN
      RETURN false;
    END IF;
    p := p + 2;
  END LOOP;
  RETURN true;
END {quote};

-- The state after the last trip of a cell.
CREATE OR REPLACE FUNCTION {counter}(
  state float8[], at float8, units float8, weight float8, steps float8[], parameters float8[])
  RETURNS float8[] LANGUAGE plpgsql IMMUTABLE
AS {quote}
DECLARE
  now float8;
  operation float8;
  fit float8;
  newest float8;
  looked float8[];
  next float8[];
  p int;
BEGIN
  IF steps IS NULL THEN
    steps := ARRAY[0, weight, -1, units / weight];
  END IF;
  FOR s IN 1 .. cardinality(steps) BY 4 LOOP
    operation := steps[s];
    weight := steps[s + 1];
    now := CASE WHEN steps[s + 2] < 0 THEN at ELSE steps[s + 2] END;
    fit := steps[s + 3];
    CONTINUE WHEN operation = 2 AND {counter_idle}(state, now, parameters);
    next := state;
    p := 1;
    FOR i IN 1 .. cardinality(state) BY 3 LOOP
      looked := {counter_look}(state[i], state[i + 1], state[i + 2], now, parameters[p + 1]);
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
      p := p + 2;
    END LOOP;
    CONTINUE WHEN fit < 1;
    IF operation < 2 THEN
      FOR i IN 2 .. cardinality(state) BY 3 LOOP
        next[i] := next[i] + fit * weight;
      END LOOP;
    END IF;
    state := next;
  END LOOP;
  RETURN state;
END {quote};
