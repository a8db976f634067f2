-- Changes to the log at hand, and how it goes back to Redis.

-- Running totals are exact up to here.
local LARGEST_TOTAL = 2 ^ 53

-- Takes all entries out of Redis' hands, with totals that start anew.
local function start_anew()
  local all_times, all_totals = {}, {}
  for i = 0, size - 1 do
    local time, sum = entry(i)
    all_times[i + 1], all_totals[i + 1] = time, sum - gone
  end
  times, totals, fresh = all_times, all_totals, 0
  total, gone = total - gone, 0
end

local function append(time, units)
  if total + units > LARGEST_TOTAL and gone > 0 then start_anew() end
  if size == 0 then oldest = time end
  newest, total = time, total + units
  times[size - fresh + 1], totals[size - fresh + 1] = newest, total
  size = size + 1
end

local function drop_oldest(number)
  if number == 0 then return end
  local _, sum = entry(number - 1)
  gone = sum
  if number < size then oldest = entry(number) end
  if capacity > 0 then start = (start + number) % capacity end
  size, fresh = size - number, fresh - number
end

-- Takes units back from the newest entries; those left with none are forgotten.
local function drop_newest(units)
  local target = total - units
  while size > 0 do
    local rest = size > 1 and select(2, entry(size - 2)) or gone
    if rest < target then break end
    size = size - 1
    times[size - fresh + 1], totals[size - fresh + 1] = nil, nil
    fresh = min(fresh, size)
  end
  if size == 0 then
    total = gone
    return
  end
  newest, total = entry(size - 1), target
  fresh = min(fresh, size - 1)
  times[size - fresh], totals[size - fresh] = newest, total
end

-- The bytes of the entries that are not in Redis yet.
local function unsaved()
  local parts = {}
  for i = max(fresh, 0), size - 1 do parts[#parts + 1] = pack("<dd", entry(i)) end
  return table.concat(parts)
end

local function header()
  return pack("<ddddddd", start, capacity, size, gone, oldest, newest, total)
end

-- Writes the log whole, into a ring that holds as much again, but no more than the rates admit.
local function write_large(unit, time)
  local entries = stored(fresh) .. unsaved()
  local limit = p[2 * rates - 1]
  start, capacity = 0, size < limit and min(2 * size, limit) or 2 * size
  set(key, header() .. entries, unit, time)
end

-- Writes the entries that are new, which may go on at the start of the ring, and the header.
local function write_part(unit, time)
  local place = (start + fresh) % capacity
  local bytes, before_end = unsaved(), (capacity - place) * ENTRY
  if #bytes > before_end then
    call("SETRANGE", key, LARGE_HEADER, string.sub(bytes, before_end + 1))
    bytes = string.sub(bytes, 1, before_end)
  end
  if #bytes > 0 then call("SETRANGE", key, LARGE_HEADER + place * ENTRY, bytes) end
  call("SETRANGE", key, 0, header())
  if unit == "PX" then call("PEXPIRE", key, time) elseif unit == "EXAT" then call("EXPIREAT", key, time) end
end

-- Writes the log back, which ended at `ended` before the trip; nil for one that is new.
local function save(ended)
  if size == 0 then
    call("UNLINK", key)
    return
  end
  local unit, time = life(newest + longest, ended)
  if size <= SMALL then
    set(key, pack("<d", gone) .. stored(fresh) .. unsaved(), unit, time)
  elseif offset == LARGE_HEADER and fresh > 0 and size <= capacity and 4 * size >= capacity then
    write_part(unit, time)
  else
    write_large(unit, time)
  end
end
