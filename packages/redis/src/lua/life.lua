-- How long a cell stays in Redis: until it is as good as new, and then a while, so that a clock that
-- steps back finds it.
-- By the server's clock a cell goes at a mark of ten seconds, ten to twenty after its end. So its
-- state alone says when it goes, and a change that leaves the mark where it was need not say it again.
local MARK = 10000000
-- Else real time says little about the instants, and it stays an hour.
local HOUR = 3600000
-- Some 30,000 years, in either unit.
local LONGEST_SECONDS, LONGEST_MILLISECONDS = 1e12, 1e15

-- The unit and time at which a cell goes that ends at `ends`, and ended at `ended` before the trip;
-- nothing where Redis knows already. `ended` is nil for a cell that is new.
local function life(ends, ended)
  if mode == SERVER_TIME then
    if ended and ceil(ends / MARK) <= ceil(ended / MARK) then return nil end
    return "EXAT", min(10 * ceil(max(ends, server_now) / MARK) + 10, LONGEST_SECONDS)
  end
  -- A step from the future counts from today.
  local from = mode == CLIENT_TIME and now or min(now, server_now)
  return "PX", min(ceil(max(0, ends - from) / 1000) + HOUR, LONGEST_MILLISECONDS)
end

local function set(key, value, unit, time)
  if unit then call("SET", key, value, unit, time) else call("SET", key, value, "KEEPTTL") end
end
