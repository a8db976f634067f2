-- Writes the numbers in ARGV[3] as the one cell, where that still holds those in ARGV[2], and says
-- whether it did: doubles, the lowest byte first. All zero is a cell that is missing. By the client's
-- clock the instant follows, 7 + 7 bytes.
local NUMBERS = WIDTH * rates
local FRESH = string.rep("\0", 8 * NUMBERS)
local name, from, to = KEYS[1], ARGV[2], ARGV[3]
if (call("GET", name) or FRESH) ~= from then return 0 end
if to == FRESH then
  call("UNLINK", name)
  return 1
end
local s = { unpack_numbers("<" .. string.rep("d", NUMBERS), to) }
local ends = 0
for rate = 0, rates - 1 do
  local i = WIDTH * rate
  local p1, p2, p3 = parameters()
  if REFILLS then set_mark(p1, p3) end
  ends = max(ends, reset(0, s[i + 1], s[i + 2], s[i + 3], p1, p2))
end
local at, at_high = server_now, 0
if mode == CLIENT_TIME then at, at_high = unpack_numbers("<I7I7", text, position) end
set(name, to, life(ends, nil, at + 128 * at_high))
return 1
