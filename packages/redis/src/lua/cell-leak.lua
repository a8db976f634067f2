-- Drops those of KEYS, cells of fixed size, that are as good as new, and says how many. By the
-- client's clock the instant follows, 7 + 7 bytes.
local FORMAT = "<" .. string.rep("d", WIDTH * rates)
local p = {}
for q = 1, 3 * rates, 3 do p[q], p[q + 1], p[q + 2] = parameters() end
local at, at_high = server_now, 0
if mode == CLIENT_TIME then at, at_high = unpack_numbers("<I7I7", text, position) end
at = at + 128 * at_high

local function is_idle(value)
  local s = { unpack_numbers(FORMAT, value) }
  for rate = 0, rates - 1 do
    local i, q = WIDTH * rate, 3 * rate
    if reset(at, s[i + 1], s[i + 2], s[i + 3], p[q + 1], p[q + 2]) > 0 then return false end
  end
  return true
end

local dropped = 0
for i = 1, #KEYS do
  local value = call("GET", KEYS[i])
  if value and is_idle(value) then dropped = dropped + call("UNLINK", KEYS[i]) end
end
return dropped
