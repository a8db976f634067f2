-- Carries out the one put, as cell-trip-one.lua does many steps.
local key, p1, p2, p3 = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local a, b, c, ended = 0, 0, 0, nil
local value = call("GET", key)
if value then
  a, b, c = unpack_numbers(FORMAT, value)
  ended = reset(0, a, b, c, p1, p2)
end
local admitted
admitted, a, b, c = carry_out(PUT, tonumber(ARGV[1]), server_now, a, b, c, p1, p2, p3)
if admitted then set(key, pack(FORMAT, a, b, c), life(reset(0, a, b, c, p1, p2), ended, server_now)) end
return pack("<d", server_now) .. (value or FRESH)
