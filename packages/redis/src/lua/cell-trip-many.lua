-- Carries out the steps of a trip on cells of several rates, as cell-trip-one.lua does on those of one:
-- all rates decide, and then all of them commit, or none.
local NUMBERS = WIDTH * rates
local FORMAT = "<" .. string.rep("d", NUMBERS)
local p = {}
for q = 1, 3 * rates, 3 do
  p[q], p[q + 1], p[q + 2] = parameters()
  if REFILLS then set_mark(p[q], p[q + 2]) end
end

-- Microseconds from an instant until the cell is as good as new.
local function reset_all(at, s)
  local longest = 0
  for rate = 0, rates - 1 do
    local i, q = WIDTH * rate, 3 * rate
    longest = max(longest, reset(at, s[i + 1], s[i + 2], s[i + 3], p[q + 1], p[q + 2]))
  end
  return longest
end

-- The step at hand, and how many more keys have it.
local span, operation, last, count, weight, now, time = 0, PEEK, true, 0, 0, 0, 0

-- Carries out the step at hand on all rates, into `after`; says whether all of them admit it.
local function carry_out_all(s, after)
  for rate = 0, rates - 1 do
    local i, q = WIDTH * rate, 3 * rate
    local admitted, a, b, c =
      carry_out(operation, weight, now, s[i + 1], s[i + 2], s[i + 3], p[q + 1], p[q + 2], p[q + 3], time)
    if not admitted then return false end
    -- A number too many is the next rate's first, which comes after it.
    after[i + 1], after[i + 2], after[i + 3] = a, b, c
  end
  return true
end

local answer, after, is_long = { pack("<d", server_now) }, {}, false
for i = 1, #KEYS do
  local value = call("GET", KEYS[i])
  local before = value or string.rep("\0", 8 * NUMBERS)
  answer[i + 1] = before
  local s = { unpack_numbers(FORMAT, before) }
  local rows = #before > 8 * NUMBERS and rows_of(before, NUMBERS) or nil
  is_long = is_long or rows ~= nil
  local ended = value and reset_all(0, s)
  local changed = false
  repeat
    if span == 0 then position, span, operation, last, count, weight, now, time = step_at(position) end
    span = span - 1
    for _ = 1, count do
      if operation == PEEK or (operation == REFUND or operation == CANCEL) and reset_all(now, s) == 0 then break end
      local admitted, next_rows
      if rows or operation >= RESERVE then
        admitted, next_rows = carry_out_booked(s, after, rows, p, operation, weight, now, time)
      else
        admitted = carry_out_all(s, after)
      end
      if not admitted then break end
      s, after, rows, changed = after, s, next_rows, true
    end
  until last
  if changed then
    local bytes = pack(FORMAT, unpack(s, 1, NUMBERS))
    if rows then bytes = bytes .. bytes_of(rows) end
    set(KEYS[i], bytes, life(reset_all(0, s), ended, now))
  end
end
-- Cells of one size need not be told apart.
return is_long and answer or table.concat(answer)
