-- Drops those of KEYS, cells of fixed size, that are as good as new, and says how many. By the
-- client's clock, 8 digits follow: the instant.
local at = mode == CLIENT_TIME and whole(position) or server_now
local FORMAT = "<" .. string.rep("d", WIDTH * rates)

local function is_idle(value)
  local s = { unpack_numbers(FORMAT, value) }
  for rate = 0, rates - 1 do
    local i, q = WIDTH * rate, each * rate
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
