-- Carries out the steps of a trip on logs, as packages/core/src/algorithms/sliding-window-log.ts and
-- operate.ts do. Answers with the decisions; those that differ by their remaining units alone are one:
--
--   count, flags    how often; 1 when allowed, and twice the rate that binds
--   left, less      units left for the first, and how many fewer for each one after it
--   wait, reset     microseconds until it would be admitted, and until the log is as good as new
local answer = {}

local function decided(times_over, allowed, rate, left, less, wait, reset_after)
  answer[#answer + 1] = pack("<I4I2dddd", times_over, 2 * rate + (allowed and 1 or 0), left, less, wait, reset_after)
end

-- What each rate sees from an instant: the number of the first entry in view, and the total before it.
local viewed, first, before = nil, {}, {}

-- The first entry later than `edge`, and the total before it; looks from the end that is likely nearer.
local function first_in_view(edge, from_start)
  if size == 0 or oldest > edge then return 0, gone end
  if newest <= edge then return size, total end
  local low, high, stride = 0, size - 1, 1
  if from_start then
    high = 1
    while high < size - 1 and entry(high) <= edge do
      low, stride = high, 2 * stride
      high = min(size - 1, high + stride)
    end
  else
    low = high - 1
    while entry(low) > edge do
      high, stride = low, 2 * stride
      low = max(0, low - stride)
    end
  end
  while high - low > 1 do
    local middle = floor((low + high) / 2)
    if entry(middle) > edge then high = middle else low = middle end
  end
  local _, sum = entry(low)
  return high, sum
end

local function view(at)
  if viewed == at then return end
  viewed = at
  for rate = 1, rates do
    first[rate], before[rate] = first_in_view(at - p[2 * rate], rate == rates)
  end
end

-- The time of the first entry, from number `low` on, up to which there are `target` units.
local function time_of_total(low, target)
  local high, stride = low, 1
  while high < size - 1 and select(2, entry(high)) < target do
    low, high, stride = high + 1, min(size - 1, high + stride), 2 * stride
  end
  while low < high do
    local middle = floor((low + high) / 2)
    local _, sum = entry(middle)
    if sum >= target then high = middle else low = middle + 1 end
  end
  return (entry(low))
end

-- Microseconds until a rate with `left` units left admits more.
local function wait_for(rate, units, left)
  if units > p[2 * rate - 1] then return math.huge end
  return time_of_total(first[rate], before[rate] + units - left) + p[2 * rate] - now
end

-- When an item counts as made: never before the newest entry.
local function instant()
  return size == 0 and now or max(now, newest)
end

-- The longest wait and the rate that has it; the fewest units left and the rate that has them.
local function decide(units)
  view(instant())
  local longest_wait, slowest, fewest, tightest = 0, 1, math.huge, 1
  for rate = 1, rates do
    local left = p[2 * rate - 1] - (total - before[rate])
    local wait = units > left and units > 0 and wait_for(rate, units, left) or 0
    if wait > longest_wait then longest_wait, slowest = wait, rate end
    if left < fewest then fewest, tightest = left, rate end
  end
  return longest_wait, slowest - 1, fewest, tightest - 1
end

-- Adds `number` items at once.
local function take(number)
  local at = instant()
  view(at)
  local leaving = first[rates]
  drop_oldest(leaving)
  for rate = 1, rates do first[rate] = first[rate] - leaving end
  for _ = 1, number do append(at, weight) end
end

local function peek()
  local wait, slowest, fewest, tightest = decide(weight)
  if wait > 0 then return decided(count, false, slowest, fewest, 0, wait, reset(now)) end
  decided(count, true, tightest, fewest - weight, 0, 0, weight > 0 and instant() + longest - now or reset(now))
end

-- Admits as many as fit, and refuses the others: a refusal changes nothing, so all get the same one.
local function put()
  local wait, slowest, fewest, tightest = decide(weight)
  local admitted = wait > 0 and 0 or min(count, floor(fewest / weight))
  if admitted > 0 then
    take(admitted)
    decided(admitted, true, tightest, fewest - weight, weight, 0, reset(now))
    if admitted < count then wait, slowest, fewest = decide(weight) end
  end
  if admitted < count then decided(count - admitted, false, slowest, fewest, 0, wait, reset(now)) end
  return admitted > 0
end

local function charge()
  local _, _, fewest, tightest = decide(0)
  take(count)
  decided(count, true, tightest, fewest - weight, weight, 0, reset(now))
  return true
end

local function refund()
  local changed = false
  for done = 0, count - 1 do
    if reset(now) == 0 then
      local _, _, fewest, tightest = decide(0)
      decided(count - done, true, tightest, fewest, 0, 0, 0)
      return changed
    end
    drop_oldest(first_in_view(instant() - longest, true))
    drop_newest(weight)
    viewed, changed = nil, true
    local _, _, fewest, tightest = decide(0)
    decided(1, true, tightest, fewest, 0, 0, reset(now))
  end
  return changed
end

local carry_out = { [PEEK] = peek, [PUT] = put, [CHARGE] = charge, [REFUND] = refund }

for i = 1, #KEYS do
  local ended = open(KEYS[i]) and newest + longest
  viewed = nil
  local changed = false
  repeat
    if span == 0 then next_step() end
    span = span - 1
    changed = carry_out[operation]() or changed
  until last
  if changed then save(ended) end
end
return table.concat(answer)
