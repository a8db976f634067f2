-- Carries out the steps of a trip on cells of one rate. Answers with the server's time and the cells
-- as they were before: the client works the decisions out from that.
local p1, p2, p3 = parameters()

-- The step at hand, and how many more keys have it.
local span, operation, last, count, weight, now, time = 0, PEEK, true, 0, 0, 0, 0
local answer = { pack("<d", server_now), FRESH }
for i = 1, #KEYS do
  local a, b, c, ended = 0, 0, 0, nil
  local value = call("GET", KEYS[i])
  if value then
    a, b, c = unpack_numbers(FORMAT, value)
    -- From the beginning of time, the time until it is as good as new is the instant of that.
    ended = reset(0, a, b, c, p1, p2)
  end
  answer[i + 1] = value or FRESH
  local changed = false
  repeat
    if span == 0 then position, span, operation, last, count, weight, now, time = step_at(position) end
    span = span - 1
    -- What is refused once is refused until the next step, and what is as good as new stays so.
    for _ = 1, count do
      if operation == PEEK or (operation == REFUND or operation == CANCEL) and reset(now, a, b, c, p1, p2) == 0 then break end
      local admitted, next_a, next_b, next_c = carry_out(operation, weight, now, a, b, c, p1, p2, p3, time)
      if not admitted then break end
      a, b, c, changed = next_a, next_b, next_c, true
    end
  until last
  if changed then
    set(KEYS[i], pack(FORMAT, a, b, c), life(reset(0, a, b, c, p1, p2), ended, now))
  end
end
return table.concat(answer)
