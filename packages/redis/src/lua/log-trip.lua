-- Carries out the steps of a trip on logs, as packages/core/src/algorithms/sliding-window-log.ts and
-- operate.ts do. Answers with the decisions; those in a row that differ by their units left alone are one:
--
--   count, flags    4 and 2 bytes: how many; 1 when allowed, and twice the rate that binds
--   left, less      doubles: units left for the first, and how many fewer for each one after it
--   wait, reset     doubles: microseconds until it would be admitted, and until the log is as good as new
-- The server's time goes before them.
local answer = { pack("<d", server_now) }

local function decided(count, allowed, rate, left, less, wait, reset_after)
  local flags = 2 * rate - (allowed and 1 or 2)
  answer[#answer + 1] = struct.pack("<I4I2dddd", count, flags, left, less, wait, reset_after)
end

-- The first entry later than `edge`, and the total before it; looks near number `near` first.
local function first_in_view(edge, near)
  local size = log.size
  if size == 0 or log.oldest > edge then return 0, log.gone end
  if log.newest <= edge then return size, log.total end
  local low, high, stride = math.min(math.max(near, 1), size - 1), nil, 1
  if entry(low) <= edge then
    high = low + 1
    while high < size - 1 and entry(high) <= edge do
      low, stride = high, 2 * stride
      high = math.min(size - 1, high + stride)
    end
  else
    high, low = low, low - 1
    while entry(low) > edge do
      high, stride = low, 2 * stride
      low = math.max(0, low - stride)
    end
  end
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if entry(middle) > edge then high = middle else low = middle end
  end
  local _, sum = entry(low)
  return high, sum
end

-- The time of the first entry, from number `low` on, up to which there are `target` units.
local function time_of_total(low, target)
  local high, stride, last = low, 1, log.size - 1
  while high < last and select(2, entry(high)) < target do
    low, high, stride = high + 1, math.min(last, high + stride), 2 * stride
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if select(2, entry(middle)) >= target then high = middle else low = middle + 1 end
  end
  return (entry(low))
end

-- The longest wait and the rate that has it; the fewest units left and the rate that has them.
local function decide(now, units)
  -- An item counts as made no earlier than the newest entry, save where that is booked for later.
  local instant = now
  if log.size > 0 and log.newest > now and log.newest % 1 == 0 then instant = log.newest end
  if log.viewed ~= instant then
    log.viewed = instant
    for rate = 1, rates do
      first[rate], before[rate] = first_in_view(instant - intervals[rate], first[rate])
    end
  end
  local worst, slowest, fewest, tightest = 0, 1, math.huge, 1
  for rate = 1, rates do
    local left, wait = limits[rate] - (log.total - before[rate]), 0
    if units > left and units > 0 then
      wait = math.huge
      if units <= limits[rate] then
        wait = ceil(time_of_total(first[rate], before[rate] + units - left)) + intervals[rate] - now
      end
    end
    if wait > worst then worst, slowest = wait, rate end
    if left < fewest then fewest, tightest = left, rate end
  end
  return worst, slowest, fewest, tightest
end

-- The time of an entry for an item: entries never go back in time, past those booked for later neither.
local function entry_time(now)
  return log.size == 0 and now or math.max(now, log.newest)
end

-- Adds `count` entries of a time, after what has left the longest window is dropped; `first` must be true.
local function take(count, units, made)
  drop_oldest(first[rates])
  for _ = 1, count do append(made, units) end
end

-- Admits as many as fit, and refuses the others: a refusal changes nothing, so all get the same one.
local function put(count, units, now)
  local wait, slowest, fewest, tightest = decide(now, units)
  local admitted = wait > 0 and 0 or math.min(count, math.floor(fewest / units))
  if admitted > 0 then
    take(admitted, units, entry_time(now))
    decided(admitted, true, tightest, fewest - units, units, 0, reset(now))
    if admitted < count then wait, slowest, fewest = decide(now, units) end
  end
  if admitted < count then decided(count - admitted, false, slowest, fewest, 0, wait, reset(now)) end
  return admitted > 0
end

-- Books one item, half a microsecond before its time, unless it would have to wait longer than asked.
local function book(units, now, longest_wait)
  local wait, slowest, fewest, tightest = decide(now, units)
  local ahead = ceil(entry_time(now)) - log.viewed
  if wait == 0 and ahead == 0 then return put(1, units, now) end
  if math.max(wait, ahead) > longest_wait then
    if wait == 0 then wait, slowest = ahead, tightest end
    decided(1, false, slowest, fewest, 0, wait, reset(now))
    return false
  end
  wait = math.max(wait, ahead)
  take(1, units, now + wait - 0.5)
  local _, _, left, tightest_then = decide(now, 0)
  decided(1, true, tightest_then, left, 0, wait, reset(now))
  return true
end

-- Takes units back that were booked for a time, or those after them; says whether anything changed.
local function unbook(units, now, booked)
  local changed = false
  decide(now, 0)
  if reset(now) > 0 and booked + longest > log.viewed then
    local from = first_in_view(booked - 1, log.size)
    if from < log.size then
      subtract(from, units)
      changed = true
    end
  end
  local _, _, fewest, tightest = decide(now, 0)
  decided(1, true, tightest, fewest, 0, 0, reset(now))
  return changed
end

-- Carries out a step that is no put, and says whether anything changed.
local function others(operation, count, units, now, time)
  if operation == PEEK then
    local wait, slowest, fewest, tightest = decide(now, units)
    if wait > 0 then
      decided(count, false, slowest, fewest, 0, wait, reset(now))
    else
      local reset_after = units > 0 and ceil(entry_time(now)) + longest - now or reset(now)
      decided(count, true, tightest, fewest - units, 0, 0, reset_after)
    end
    return false
  elseif operation == CHARGE then
    local _, _, fewest, tightest = decide(now, 0)
    take(count, units, entry_time(now))
    decided(count, true, tightest, fewest - units, units, 0, reset(now))
    return true
  elseif operation ~= REFUND then
    local changed = false
    for _ = 1, count do
      if operation == RESERVE then
        changed = book(units, now, time) or changed
      else
        changed = unbook(units, now, time) or changed
      end
    end
    return changed
  end
  local done = 0
  while done < count and reset(now) > 0 do
    decide(now, 0)
    drop_oldest(first[rates])
    drop_newest(units)
    local _, _, fewest, tightest = decide(now, 0)
    decided(1, true, tightest, fewest, 0, 0, reset(now))
    done = done + 1
  end
  if done < count then
    local _, _, fewest, tightest = decide(now, 0)
    decided(count - done, true, tightest, fewest, 0, 0, 0)
  end
  return done > 0
end

-- The step at hand, and how many more keys have it.
local span, operation, last, count, weight, now, time = 0, PEEK, true, 0, 0, 0, 0
for i = 1, #KEYS do
  local ended = open(KEYS[i]) and log.newest + longest
  local changed = false
  repeat
    if span == 0 then position, span, operation, last, count, weight, now, time = step_at(position) end
    span = span - 1
    if operation == PUT then
      changed = put(count, weight, now) or changed
    else
      changed = others(operation, count, weight, now, time) or changed
    end
  until last
  if changed then save(ended, now) end
end
return table.concat(answer)
