-- What can be given back of bookings, step by step as in packages/core/src/algorithms/open-bookings.ts: rows
-- behind the numbers of a cell, each the number of a booking and the least in use since then under each rate.
local MOST_ROWS = 64

-- The rows in a value behind so many numbers; nil for none.
local function rows_of(value, numbers)
  local count = #value / 8 - numbers
  if count == 0 then return nil end
  local rows = { unpack_numbers("<" .. string.rep("d", count), value, 8 * numbers + 1) }
  rows[count + 1] = nil
  return rows
end

-- The bytes for rows.
local function bytes_of(rows)
  return rows and pack("<" .. string.rep("d", #rows), unpack(rows)) or ""
end

-- Rows after less is in use, or, where `given` says how much, after so much was given back of a booking;
-- nil when nothing can be given back any more, and no number could be given out again.
local function change_rows(rows, used, now, given, number, least)
  local changed, counts, width = {}, false, #used + 1
  for at = 0, #rows - 1, width do
    local size, same = #changed, true
    local row = { rows[at + 1] }
    for rate = 1, width - 1 do
      local units = rows[at + 1 + rate]
      if not given then
        units = min(units, used[rate])
      elseif row[1] >= number then
        units = units - given[rate]
      else
        units = min(units, least[rate] - given[rate])
      end
      row[rate + 1] = units
      same = same and changed[size - width + 1 + rate] == units
      counts = counts or units > 0
    end
    -- Of rows that say the same the last stays.
    local to = size > 0 and same and size - width or size
    for i = 1, width do changed[to + i] = row[i] end
  end
  return (counts or changed[#changed - width + 1] > now) and changed or nil
end

-- Rows after a booking with which so much is in use.
local function add_row(rows, used, changed)
  local width = #used + 1
  local number = max(changed, rows and rows[#rows - width + 1] or 0) + 1
  if not rows then
    rows = { number - 1 }
    for rate = 1, #used do rows[rate + 1] = 0 end
  end
  rows[#rows + 1] = number
  for rate = 1, #used do rows[#rows + 1] = used[rate] end
  if #rows <= MOST_ROWS * width then return rows end
  -- The two rows of which the least differs the least share one.
  local best, nearest = 0, -1
  for at = 0, #rows - 2 * width, width do
    local near = 1
    for i = at + 2, at + width do
      if rows[i + width] > 0 then near = min(near, rows[i] / rows[i + width]) end
    end
    if near > nearest then best, nearest = at, near end
  end
  rows[best + 1] = rows[best + width + 1]
  for _ = 1, width do table.remove(rows, best + width + 1) end
  return rows
end

-- Carries a step out on all rates of a cell that has rows, or is to have some: `s` are its numbers, `after` what
-- they become, `p` the parameters. Says whether it is admitted, and what the rows become.
local function carry_out_booked(s, after, rows, p, operation, units, now, time)
  local used, least, given = {}, {}, {}
  for rate = 1, #p / 3 do
    local changed, level, refill = s[2 * rate - 1], s[2 * rate], p[3 * rate - 2]
    used[rate] = now > changed and max(0, level - (now - changed) * refill) or level
    after[2 * rate - 1], after[2 * rate] = max(now, changed), used[rate]
    if operation ~= CANCEL then
      local admitted
      admitted, after[2 * rate - 1], after[2 * rate] =
        carry_out(operation, units, now, changed, level, nil, refill, p[3 * rate - 1], p[3 * rate], time)
      if not admitted then return false end
    end
  end
  if operation == REFUND then
    for rate = 1, #used do used[rate] = after[2 * rate] end
  end
  rows = rows and change_rows(rows, used, now)
  if operation == RESERVE then
    for rate = 1, #used do used[rate] = after[2 * rate] end
    return true, add_row(rows, used, after[1])
  end
  if operation ~= CANCEL then return true, rows end
  if not rows then return false end
  for at = 0, #rows - 1, #used + 1 do
    if rows[at + 1] >= time then
      for rate = 1, #used do least[rate] = rows[at + 1 + rate] end
      break
    end
  end
  for rate = 1, #used do
    least[rate] = least[rate] or 0
    given[rate] = min(units * p[3 * rate - 1], least[rate])
    after[2 * rate] = max(0, used[rate] - given[rate])
  end
  return true, change_rows(rows, used, now, given, time, least)
end
