-- The steps of a trip: one or more for each key, in the order of KEYS.
--
--   flags   1 character: the operation, 4 when it is its key's last step, 8 when it names its
--           instant, 16 when it is done once, with one unit
--   span    4 digits: keys in a row that have this one step and no other
--   count   4 digits: how many times it is done; not with 16
--   weight  8 digits: units, 0 for a peek alone; not with 16
--   now     8 digits: the instant in microseconds; with 8 alone
local PEEK, PUT, CHARGE, REFUND = 0, 1, 2, 3
local operation, last, count, weight, now
local span = 0

local function next_step()
  local flags, a, b, c, d, e, f, g, h = byte(text, position, position + 8)
  operation, last = flags % 4, flags % 8 >= 4
  span = a + 128 * (b + 128 * (c + 128 * d))
  count, weight, now = 1, 1, server_now
  position = position + 5
  if flags < 16 then
    count, weight = e + 128 * (f + 128 * (g + 128 * h)), whole(position + 4)
    position = position + 12
  end
  if flags % 16 >= 8 then
    now = whole(position)
    position = position + 8
  end
end
