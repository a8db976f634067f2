-- How long a cell stays in Redis: until it is as good as new, and then a while, so that a clock that
-- steps back finds it.
--
-- By the server's clock a cell goes ten seconds after a mark: the next after its end of those that are
-- ten seconds apart, or an eighth of the time in which a full token bucket flows back. So its state alone
-- says when it goes, and a change that leaves the mark where it was need not say it again.
-- Where steps bring their instants, real time says little about them, and it stays an hour.

-- Microseconds between two marks: whole seconds.
local mark = 10000000

-- The unit and the time of the end of a cell that is as good as new at `ends`, and was to be at
-- `ended` before the trip, whose last step was at `now`; nothing where Redis knows already. `ended`
-- is nil for a cell that is new. The longest life is some 30,000 years.
local function life(ends, ended, now)
  if mode == SERVER_TIME then
    if ended and ceil(ends / mark) <= ceil(ended / mark) then return nil end
    return "EXAT", min(mark / 1000000 * ceil(max(ends, now) / mark) + 10, 1e12)
  end
  -- A step from the future counts from today.
  local from = mode == CLIENT_TIME and now or min(now, server_now)
  return "PX", min(ceil(max(0, ends - from) / 1000) + 3600000, 1e15)
end

local function set(name, value, unit, time)
  if unit then call("SET", name, value, unit, time) else call("SET", name, value, "KEEPTTL") end
end
