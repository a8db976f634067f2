-- Changes to the log at hand, and how it goes back to Redis.

-- Adds an entry at the end.
local function append(time, units)
  -- Totals are exact up to 2^53. Before they pass it, all entries are taken over with totals that start anew.
  if log.total + units > 9007199254740992 and log.gone > 0 then
    local new = {}
    for i = 0, log.size - 1 do
      local made, sum = entry(i)
      new[2 * i + 1], new[2 * i + 2] = made, sum - log.gone
    end
    log.new, log.fresh, log.total, log.gone, log.viewed = new, 0, log.total - log.gone, 0, false
  end
  if log.size == 0 then log.oldest = time end
  log.newest, log.total = time, log.total + units
  if log.new then
    local at = 2 * (log.size - log.fresh)
    log.new[at + 1], log.new[at + 2] = time, log.total
  else
    log.new = { time, log.total }
  end
  log.size = log.size + 1
end

local function drop_oldest(count)
  if count == 0 then return end
  local _, sum = entry(count - 1)
  if count < log.size then log.oldest = entry(count) end
  if log.capacity > 0 then log.start = (log.start + count) % log.capacity end
  log.gone, log.size, log.fresh = sum, log.size - count, log.fresh - count
  for rate = 1, rates do first[rate] = first[rate] - count end
end

-- Takes units back from the newest entries; those left with none are forgotten.
local function drop_newest(units)
  local target, size = log.total - units, log.size
  while size > 0 and (size > 1 and select(2, entry(size - 2)) or log.gone) >= target do size = size - 1 end
  log.size, log.fresh, log.viewed = size, math.min(log.fresh, size), false
  log.total = size > 0 and target or log.gone
  if size == 0 then return end
  log.newest = entry(size - 1)
  -- What is left of the last entry is new.
  local at = size - 1 - log.fresh
  if at < 0 then
    log.new, log.fresh, at = {}, size - 1, 0
  end
  log.new[2 * at + 1], log.new[2 * at + 2] = log.newest, target
end

-- Takes units back from entry `from` on; those left with none are forgotten.
local function subtract(from, units)
  local size, fresh, before_all, taken = log.size, log.fresh, log.gone, 0
  if from > 0 then before_all = select(2, entry(from - 1)) end
  local left = {}
  for i = from, size - 1 do
    local made, sum = entry(i)
    local part = math.min(units - taken, sum - before_all)
    taken = taken + part
    if sum - before_all > part then
      left[#left + 1], left[#left + 2] = made, sum - taken
    end
    before_all = sum
  end
  if not log.new or fresh > from then
    log.new, fresh = {}, from
  end
  for i = 1, #left do log.new[2 * (from - fresh) + i] = left[i] end
  log.size, log.fresh, log.total, log.viewed = from + #left / 2, fresh, log.total - taken, false
  if log.size == 0 then return end
  log.oldest, log.newest = (entry(0)), (entry(log.size - 1))
end

-- Writes the log back after a trip whose last step was at `now`; it ended at `ended` before, nil for one that is new.
local function save(ended, now)
  local key, size, fresh = log.key, log.size, log.fresh
  if size == 0 then return redis.call("UNLINK", key) end
  local unit, time = life(ceil(log.newest) + longest, ended, now)
  local parts = {}
  for i = math.max(fresh, 0), size - 1 do parts[#parts + 1] = struct.pack("<dd", entry(i)) end
  local new = table.concat(parts)
  if size <= 64 then return set(key, struct.pack("<d", log.gone) .. stored(fresh) .. new, unit, time) end

  local start, capacity = log.start, log.capacity
  local in_place = log.offset == LARGE_HEADER and fresh > 0 and size <= capacity and 4 * size >= capacity
  if not in_place then
    -- Room for as many again, but for no more than the rates admit.
    local limit = limits[rates]
    start, capacity = 0, size < limit and math.min(2 * size, limit) or 2 * size
  end
  local header = struct.pack("<ddddddd", start, capacity, size, log.gone, log.oldest, log.newest, log.total)
  for rate = 1, rates do header = header .. struct.pack("<d", math.max(0, first[rate])) end
  if not in_place then
    return set(key, header .. stored(fresh) .. new .. string.rep("\0", 16 * (capacity - size)), unit, time)
  end

  -- What does not fit before the end of the ring goes on at its start.
  local place = (start + fresh) % capacity
  local before_end = 16 * (capacity - place)
  if #new > before_end then
    redis.call("SETRANGE", key, LARGE_HEADER, string.sub(new, before_end + 1))
    new = string.sub(new, 1, before_end)
  end
  if #new > 0 then redis.call("SETRANGE", key, LARGE_HEADER + 16 * place, new) end
  redis.call("SETRANGE", key, 0, header)
  if unit then redis.call(unit == "PX" and "PEXPIRE" or "EXPIREAT", key, time) end
end
