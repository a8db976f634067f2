-- The token bucket, operation by operation as in packages/core/src/algorithms/token-bucket.ts.
-- A rate has two numbers: when it changed last, and the steps in use then. Its parameters are the
-- steps that a microsecond gives back, those in a unit, and those in a full bucket.
local WIDTH, REFILLS = 2, true

-- Lets marks lie an eighth of the time apart in which a full bucket flows back, in whole seconds, if that is more.
local function set_mark(refill, full) mark = max(mark, 1000000 * ceil(full / refill / 8000000)) end

-- Whether a step is admitted, and what the numbers of a rate become if it is.
local function carry_out(operation, units, now, changed, used, _, refill, unit, full, time)
  if now > changed then
    used = max(0, used - (now - changed) * refill)
    changed = now
  end
  if operation == REFUND then return true, changed, max(0, used - units * unit) end
  used = used + units * unit
  local fits = operation == CHARGE or used <= full
  if operation == RESERVE and not fits then fits = changed - now + ceil((used - full) / refill) <= time end
  return fits, changed, used
end

-- Microseconds from an instant until the rate is as good as new.
local function reset(at, changed, used, _, refill)
  local elapsed = at - changed
  if elapsed > 0 then return ceil(max(0, used - elapsed * refill) / refill) end
  return ceil(used / refill) - elapsed
end
