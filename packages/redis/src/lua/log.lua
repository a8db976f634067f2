-- A log in one string: an entry an admitted item, its time and the running total of units, 16 bytes.
--
-- A small log, up to 64 entries, is 8 bytes (the total of what is gone) and its entries, oldest
-- first; it is read and written whole. A large one is a ring of `capacity` places behind 56 bytes.
-- Of that a put reads and writes a little: the header, and the pages of 64 places that it has to
-- see. A large log is told by its length, which is never below that of 65 entries.
local ENTRY, PAGE, SMALL = 16, 64, 64
local SMALL_HEADER, LARGE_HEADER = 8, 56
local FIRST_READ = LARGE_HEADER + PAGE * ENTRY

-- The parameters of a rate are limit and interval.
local longest = p[2 * rates]

-- The log at hand: where its ring begins, how many places that has, how many entries are kept,
-- and the total of what is gone, the first and last times, and the last total.
local key, start, capacity, size, gone, oldest, newest, total
-- Entries have numbers from 0, oldest first. Those from `fresh` on are not in Redis yet but in
-- `times` and `totals`, at their number less `fresh` plus 1. When older ones are dropped the
-- numbers move, and `fresh` may fall below 0.
local fresh, times, totals
-- What was read of it, and how many bytes come before the entries of the first page.
local pages, offset

-- Reads the start of a log; says whether there is one.
local function open(name)
  key, times, totals = name, {}, {}
  start, capacity, size, gone, oldest, newest, total = 0, 0, 0, 0, 0, 0, 0
  local head = call("GETRANGE", key, 0, FIRST_READ - 1)
  pages = { [0] = head }
  if #head == FIRST_READ then
    offset = LARGE_HEADER
    start, capacity, size, gone, oldest, newest, total = unpack_numbers("<ddddddd", head)
  elseif #head > 0 then
    offset = SMALL_HEADER
    capacity = (#head - SMALL_HEADER) / ENTRY
    size = capacity
    gone, oldest = unpack_numbers("<dd", head)
    newest, total = unpack_numbers("<dd", head, #head - ENTRY + 1)
  end
  fresh = size
  return #head > 0
end

-- The time and the running total of entry `i`.
local function entry(i)
  if i >= fresh then return times[i - fresh + 1], totals[i - fresh + 1] end
  local place = (start + i) % capacity
  local page = floor(place / PAGE)
  if pages[page] == nil then
    local at = LARGE_HEADER + page * PAGE * ENTRY
    pages[page] = call("GETRANGE", key, at, at + PAGE * ENTRY - 1)
  end
  local at = (page == 0 and offset or 0) + (place - page * PAGE) * ENTRY
  return unpack_numbers("<dd", pages[page], at + 1)
end

-- The bytes of the first `count` entries, all of which are in Redis.
local function stored(count)
  if count <= 0 then return "" end
  local first = offset + start * ENTRY
  if offset == SMALL_HEADER then return string.sub(pages[0], first + 1, first + count * ENTRY) end
  local before_end = min(count, capacity - start)
  local bytes = call("GETRANGE", key, first, first + before_end * ENTRY - 1)
  if before_end == count then return bytes end
  return bytes .. call("GETRANGE", key, offset, offset + (count - before_end) * ENTRY - 1)
end

-- Microseconds until the log at hand is as good as new.
local function reset(at)
  return size == 0 and 0 or max(0, newest + longest - at)
end
