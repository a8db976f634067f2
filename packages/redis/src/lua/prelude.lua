-- What every script is told. KEYS are cells of one slot; ARGV[1] is text of 7-bit characters, in
-- which whole numbers are digits to the base 128, lowest first. So none is ever written in decimal,
-- where Lua would round it, and the client mixes no bytes into its text.
--
--   mode        1 digit, see below
--   rates       2 digits: how many
--   each        1 digit: how many parameters a rate has
--   parameters  8 digits each, and a ninth: the power of two to multiply by
--
-- What follows is for the script at hand. A script starts anew for every trip, and each function
-- and table that it makes costs as much as some lines that run: so there are few.
local call, byte, pack, unpack_numbers = redis.call, string.byte, struct.pack, struct.unpack
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local text = ARGV[1]

-- The server's clock decides; it does, but some steps name their instants; or the client's clock decides.
local SERVER_TIME, SOME_INSTANTS, CLIENT_TIME = 0, 1, 2
local mode, rates, high, each = byte(text, 1, 4)
rates = rates + 128 * high

-- The whole number of 8 digits at a position.
local function whole(at)
  local a, b, c, d, e, f, g, h = byte(text, at, at + 7)
  return ((((((h * 128 + g) * 128 + f) * 128 + e) * 128 + d) * 128 + c) * 128 + b) * 128 + a
end

-- The parameters of all rates, one after another; the zeros make room for those of two.
local p, position = { 0, 0, 0, 0, 0, 0 }, 5
for i = 1, rates * each do
  p[i] = whole(position)
  local power = byte(text, position + 8)
  if power > 0 then p[i] = p[i] * 2 ^ power end
  position = position + 9
end

-- Microseconds on the server's clock.
local server_now = 0
if mode ~= CLIENT_TIME then
  local time = call("TIME")
  server_now = time[1] * 1000000 + time[2]
end
