-- The steps of a trip: one or more for each key, in the order of KEYS.
--
--   flags   1 byte: the operation, 4 when it is its key's last step, 8 when it names its instant, 16
--           when it is done once, with one unit, 32 when it is one of those that name a time
--   span    3 + 3 bytes: keys in a row that have this one step and no other
--   count   3 + 3 bytes: how many times it is done; not with 16
--   weight  7 + 7 bytes: units, 0 for a peek alone; not with 16
--   now     7 + 7 bytes: the instant in microseconds; with 8 alone
--   time    7 + 7 bytes: the longest wait of a RESERVE, what a CANCEL goes by, see Step.time; with 32 alone
local PEEK, PUT, CHARGE, REFUND, RESERVE, CANCEL = 0, 1, 2, 3, 32, 33

-- The step at a position, and where the next one is.
local function step_at(at)
  local flags, span, high, next_at = unpack_numbers("<BI3I3", text, at)
  local count, weight, now, time, operation = 1, 1, server_now, 0, flags % 4
  span = span + 128 * high
  if flags % 32 < 16 then
    local weight_high
    count, high, weight, weight_high, next_at = unpack_numbers("<I3I3I7I7", text, next_at)
    count, weight = count + 128 * high, weight + 128 * weight_high
  end
  if flags % 16 >= 8 then
    now, high, next_at = unpack_numbers("<I7I7", text, next_at)
    now = now + 128 * high
  end
  if flags >= 32 then
    time, high, next_at = unpack_numbers("<I7I7", text, next_at)
    time, operation = time + 128 * high, operation + 32
  end
  return next_at, span, operation, flags % 8 >= 4, count, weight, now, time
end
