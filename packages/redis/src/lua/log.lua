-- A log in one string: an entry an admitted item, its time and the running total of units, 16 bytes.
--
-- A small log, up to 64 entries, is 8 bytes (the total of what is gone) and its entries, oldest
-- first; it is read and written whole. A large one is a header and a ring of `capacity` places. Of
-- that a put reads and writes a little: the header, and the pages of 64 places that it has to see.
-- It is told by its length, which is never below that of 65 places.
local SMALL_HEADER, LARGE_HEADER = 8, 56 + 8 * rates
local FIRST_READ = LARGE_HEADER + 1024

-- Of each rate; and where its window begins in the log at hand: the number of the first entry, and
-- the total before it. What is in `first` may be out of date, and is then where a search begins.
local limits, intervals, first, before = {}, {}, {}, {}
for rate = 1, rates do limits[rate], intervals[rate] = parameters() end

-- The log at hand. A table, since a function that sees one name costs less than one that sees twenty.
--
--   key, head, pages             its name, its first bytes, and what was read beyond them
--   offset, start, capacity      bytes before the first place, and where and how long the ring is
--   size                         how many entries there are; they have numbers from 0, oldest first
--   gone, oldest, newest, total  the total of what is gone, the first and last times, the last total
--   fresh, new                   entries from number `fresh` on are in `new` and not in Redis yet; below
--                                0 when older ones were dropped and the numbers moved
--   viewed                       the instant that `first` and `before` are true for
local log = {}

-- Reads the start of a log; says whether there is one.
local function open(key)
  local head = call("GETRANGE", key, 0, FIRST_READ - 1)
  local length = #head
  log.key, log.head, log.pages, log.new, log.viewed = key, head, nil, nil, nil
  if length == FIRST_READ then
    log.offset = LARGE_HEADER
    log.start, log.capacity, log.size, log.gone, log.oldest, log.newest, log.total = unpack_numbers("<ddddddd", head)
    for rate = 1, rates do first[rate] = unpack_numbers("<d", head, 49 + 8 * rate) end
    log.fresh = log.size
    return true
  end
  local size = length > 0 and (length - SMALL_HEADER) / 16 or 0
  log.offset, log.start, log.capacity, log.size, log.fresh = SMALL_HEADER, 0, size, size, size
  log.gone, log.oldest, log.newest, log.total = 0, 0, 0, 0
  if size > 0 then
    log.gone, log.oldest = unpack_numbers("<dd", head)
    log.newest, log.total = unpack_numbers("<dd", head, length - 15)
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
  if place < 64 then return unpack_numbers("<dd", log.head, log.offset + 16 * place + 1) end
  local page = floor(place / 64)
  log.pages = log.pages or {}
  if log.pages[page] == nil then
    local at = LARGE_HEADER + 1024 * page
    log.pages[page] = call("GETRANGE", log.key, at, at + 1023)
  end
  return unpack_numbers("<dd", log.pages[page], 16 * (place % 64) + 1)
end

-- Microseconds until the log at hand is as good as new.
local function reset(at)
  return log.size == 0 and 0 or max(0, log.newest + intervals[rates] - at)
end

-- The bytes of the first `count` entries, all of which are in Redis.
local function stored(count)
  if count <= 0 then return "" end
  local at, bytes = log.offset + 16 * log.start, 16 * count
  if log.offset == SMALL_HEADER then return string.sub(log.head, at + 1, at + bytes) end
  local before_end = min(bytes, 16 * (log.capacity - log.start))
  local part = call("GETRANGE", log.key, at, at + before_end - 1)
  if before_end == bytes then return part end
  return part .. call("GETRANGE", log.key, LARGE_HEADER, LARGE_HEADER + bytes - before_end - 1)
end
