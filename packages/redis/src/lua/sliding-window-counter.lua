-- The sliding window counter, operation by operation as in packages/core/src/algorithms/sliding-window-counter.ts.
-- A rate has three numbers: the start of its window, the units counted in it, and those of the
-- window before. Its parameters are limit and interval.
local WIDTH, REFILLS = 3, false

-- The windows at an instant: start, units in this one, units in the one before, microseconds of that still in view.
local function look(at, stored, current, previous, interval)
  -- An item from before the window counts as made at its start.
  local instant = max(at, stored)
  local start = instant - math.fmod(instant, interval)
  local in_view = start + interval - instant
  if start == stored then return start, current, previous, in_view end
  return start, 0, start == stored + interval and current or 0, in_view
end

-- Whether a step is admitted, and what the numbers of a rate become if it is.
local function carry_out(operation, units, now, stored, counted, before, limit, interval)
  local start, current, previous, in_view = look(now, stored, counted, before, interval)
  if operation == REFUND then
    local newest = min(units, current)
    return true, start, current - newest, max(0, previous - (units - newest))
  end
  local fits = operation == CHARGE or previous * in_view <= (limit - current - units) * interval
  return fits, start, current + units, previous
end

-- Microseconds from an instant until the rate is as good as new.
local function reset(at, stored, counted, before, _, interval)
  local start, current, previous = look(at, stored, counted, before, interval)
  if current > 0 then return start + 2 * interval - at end
  return previous > 0 and start + interval - at or 0
end
