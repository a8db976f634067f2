-- The one put of a token bucket, in one piece: what carry_out() and reset() of token-bucket.lua and
-- life() of life.lua come to for it. Making and calling functions costs more here than all that they
-- work out. ARGV is the units, and then the parameters of the rate, see token-bucket.lua. Nothing is
-- done to a cell that has more than its numbers, which is told by an answer of nil.
local call, pack, ceil = redis.call, struct.pack, math.ceil
local key, refill, full = KEYS[1], ARGV[2] + 0, ARGV[4] + 0
local mark = 1000000 * ceil(full / refill / 8000000)
if mark < 10000000 then mark = 10000000 end
local time = call("TIME")
local now = time[1] * 1000000 + time[2]

-- When it changed last, the steps in use then, and the number of the mark by which it would have been as good as new.
local changed, used, ended = 0, 0, 0
local value = call("GET", key)
if value then
  if #value > 16 then return nil end
  changed, used = struct.unpack("<dd", value)
  ended = ceil((ceil(used / refill) + changed) / mark)
end
if now > changed then
  used = used - (now - changed) * refill
  if used < 0 then used = 0 end
  changed = now
end
used = used + ARGV[1] * ARGV[3]
if used <= full then
  local ends = ceil((ceil(used / refill) + changed) / mark)
  if ends <= ended then
    call("SET", key, pack("<dd", changed, used), "KEEPTTL")
  else
    call("SET", key, pack("<dd", changed, used), "EXAT", math.min(mark / 1000000 * ends + 10, 1e12))
  end
end
return pack("<d", now) .. (value or "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
