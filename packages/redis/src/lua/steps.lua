-- The steps of a trip: one or more for each key, in the order of KEYS.
--
--   flags   1 byte: the operation, 4 when it is its key's last step, 8 when it names its instant, 16
--           when it is done once, with one unit
--   span    3 + 3 bytes: keys in a row that have this one step and no other
--   count   3 + 3 bytes: how many times it is done; not with 16
--   weight  7 + 7 bytes: units, 0 for a peek alone; not with 16
--   now     7 + 7 bytes: the instant in microseconds; with 8 alone
local PEEK, PUT, CHARGE, REFUND = 0, 1, 2, 3

-- The step at a position, and where the next one is.
local function step_at(at)
  local flags, span, high, next_at = unpack_numbers("<BI3I3", text, at)
  local count, weight, now = 1, 1, server_now
  span = span + 128 * high
  if flags < 16 then
    local weight_high
    count, high, weight, weight_high, next_at = unpack_numbers("<I3I3I7I7", text, next_at)
    count, weight = count + 128 * high, weight + 128 * weight_high
  end
  if flags % 16 >= 8 then
    now, high, next_at = unpack_numbers("<I7I7", text, next_at)
    now = now + 128 * high
  end
  return next_at, span, flags % 4, flags % 8 >= 4, count, weight, now
end
