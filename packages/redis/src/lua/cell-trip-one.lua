-- Carries out the steps of a trip on cells of one rate. Answers with the server's time and the cells
-- as they were before: the client works the decisions out from that.
local p1, p2, p3 = parameters()
if REFILLS then set_mark(p1, p3) end
local s, after = {}, {}

-- The step at hand, and how many more keys have it.
local span, operation, last, count, weight, now, time = 0, PEEK, true, 0, 0, 0, 0
local answer, is_long = { pack("<d", server_now), FRESH }, false
for i = 1, #KEYS do
  local a, b, c, ended, rows = 0, 0, 0, nil, nil
  local value = call("GET", KEYS[i])
  if value then
    a, b, c = unpack_numbers(FORMAT, value)
    -- From the beginning of time, the time until it is as good as new is the instant of that.
    ended = reset(0, a, b, c, p1, p2)
    if #value > #FRESH then rows, is_long = rows_of(value, WIDTH), true end
  end
  answer[i + 1] = value or FRESH
  local changed = false
  repeat
    if span == 0 then position, span, operation, last, count, weight, now, time = step_at(position) end
    span = span - 1
    local times, units = count, weight
    if operation == PUT and times > 1 and REFILLS and not rows and p3 <= 9007199254740992 then
      -- Nothing is rounded: as many as fit, at once, come to the same as one after another.
      local used = now > a and max(0, b - (now - a) * p1) or b
      local fit = min(times, floor((p3 - used) / (weight * p2)))
      times, units = min(fit, 1), weight * fit
    end
    -- What is refused once is refused until the next step, and what is as good as new stays so.
    for _ = 1, times do
      if operation == PEEK or (operation == REFUND or operation == CANCEL) and reset(now, a, b, c, p1, p2) == 0 then break end
      local admitted, next_a, next_b, next_c, next_rows
      if rows or operation >= RESERVE then
        s[1], s[2] = a, b
        admitted, next_rows = carry_out_booked(s, after, rows, { p1, p2, p3 }, operation, weight, now, time)
        next_a, next_b = after[1], after[2]
      else
        admitted, next_a, next_b, next_c = carry_out(operation, units, now, a, b, c, p1, p2, p3, time)
      end
      if not admitted then break end
      a, b, c, rows, changed = next_a, next_b, next_c, next_rows, true
    end
  until last
  if changed then
    local bytes = pack(FORMAT, a, b, c)
    if rows then bytes = bytes .. bytes_of(rows) end
    set(KEYS[i], bytes, life(reset(0, a, b, c, p1, p2), ended, now))
  end
end
-- Cells of one size need not be told apart.
return is_long and answer or table.concat(answer)
