-- The fixed window, operation by operation as in packages/core/src/algorithms/fixed-window.ts.
-- A rate has two numbers: the start of its window, and the units counted in it. Its parameters are
-- limit and interval.
local WIDTH, REFILLS = 2, false

-- Whether a step is admitted, and what the numbers of a rate become if it is.
local function carry_out(operation, units, now, start, count, _, limit, interval)
  local counted = now < start + interval and count or 0
  if operation == REFUND then
    -- A window that has ended stays as it is, lest a clock that steps back find it empty.
    return true, start, counted > 0 and max(0, counted - units) or count
  end
  if counted == 0 then start = now end
  return operation == CHARGE or counted + units <= limit, start, counted + units
end

-- Microseconds from an instant until the rate is as good as new.
local function reset(at, start, count, _, _, interval)
  return count > 0 and max(0, start + interval - at) or 0
end
