-- A log in one string: an entry an admitted item, its time and the running total of units, 16 bytes.
--
-- A small log, up to 64 entries, is 8 bytes (the total of what is gone) and its entries, oldest
-- first; it is read and written whole. A large one is a header and a ring of `capacity` places. Of
-- that a put reads and writes a little: the header, and the pages of 64 places that it has to see.
-- It is told by its length, which is never below that of 65 places.

local SMALL_HEADER, LARGE_HEADER = 8, 56 + 8 * rates

-- Of each rate; and where its window begins in the log at hand: the number of the first entry, and
-- the total before it. These are true for the instant `log.viewed`; else a search begins at `first`.
local limits, intervals, first, before = {}, {}, {}, {}
for rate = 1, rates do limits[rate], intervals[rate] = parameters() end
local longest = intervals[rates]

-- The log at hand. A table, since making a function costs by the names that it sees.
local log = {
  -- Its name in Redis, its first bytes, and what was read beyond them by page.
  key = "", head = "", pages = false,
  -- Bytes before the first place, and where the ring starts and how long it is.
  offset = 0, start = 0, capacity = 0,
  -- How many entries there are; they have numbers from 0, oldest first.
  size = 0,
  -- The total of what is gone, the first and last times, the last total.
  gone = 0, oldest = 0, newest = 0, total = 0,
  -- Entries from number `fresh` on are in `new`, two numbers each, and not in Redis yet; it is below
  -- 0 when older ones were dropped and the numbers moved.
  fresh = 0, new = false,
  viewed = false,
}

-- Reads the start of a log; says whether there is one.
local function open(key)
  local first_read = LARGE_HEADER + 1024
  local head = redis.call("GETRANGE", key, 0, first_read - 1)
  local length = #head
  log.key, log.head, log.pages, log.new, log.viewed = key, head, false, false, false
  if length == first_read then
    log.offset = LARGE_HEADER
    log.start, log.capacity, log.size, log.gone, log.oldest, log.newest, log.total =
      struct.unpack("<ddddddd", head)
    for rate = 1, rates do first[rate] = struct.unpack("<d", head, 49 + 8 * rate) end
    log.fresh = log.size
    return true
  end
  local size = length > 0 and (length - SMALL_HEADER) / 16 or 0
  log.offset, log.start, log.capacity, log.size, log.fresh = SMALL_HEADER, 0, size, size, size
  log.gone, log.oldest, log.newest, log.total = 0, 0, 0, 0
  if size > 0 then
    log.gone, log.oldest = struct.unpack("<dd", head)
    log.newest, log.total = struct.unpack("<dd", head, length - 15)
  end
  -- Short windows begin near the end.
  for rate = 1, rates do first[rate] = rate < rates and size or 0 end
  return size > 0
end

-- The time and the running total of entry `i`.
local function entry(i)
  local place = i - log.fresh
  if place >= 0 then return log.new[2 * place + 1], log.new[2 * place + 2] end
  place = (log.start + i) % log.capacity
  if place < 64 then return struct.unpack("<dd", log.head, log.offset + 16 * place + 1) end
  local page = math.floor(place / 64)
  log.pages = log.pages or {}
  if log.pages[page] == nil then
    local at = LARGE_HEADER + 1024 * page
    log.pages[page] = redis.call("GETRANGE", log.key, at, at + 1023)
  end
  return struct.unpack("<dd", log.pages[page], 16 * (place % 64) + 1)
end

-- Microseconds until the log is as good as new. A time that is booked ends in a half: it is for the microsecond after.
local function reset(at)
  return log.size == 0 and 0 or math.max(0, ceil(log.newest) + longest - at)
end

-- The bytes of the first `count` entries, all of which are in Redis.
local function stored(count)
  if count <= 0 then return "" end
  local at, bytes = log.offset + 16 * log.start, 16 * count
  if log.offset == SMALL_HEADER then return string.sub(log.head, at + 1, at + bytes) end
  local before_end = math.min(bytes, 16 * (log.capacity - log.start))
  local part = redis.call("GETRANGE", log.key, at, at + before_end - 1)
  if before_end == bytes then return part end
  return part .. redis.call("GETRANGE", log.key, log.offset, log.offset + bytes - before_end - 1)
end
