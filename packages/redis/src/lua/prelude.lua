-- What every script is told. KEYS are cells of one slot; ARGV[1] is text of 7-bit characters, so that
-- a client need not mix bytes into its text. A number is in it twice: as bytes without their highest
-- bits, lowest byte first, and as those bits, a byte each. So none is ever written in decimal, where
-- Lua would round it, and one struct.unpack reads many: n = low + 128 * high.
--
--   mode        1 byte, see below
--   rates       3 + 3 bytes: how many
--   parameters  of each rate three, 7 + 7 bytes and a byte: the power of two to multiply by
--
-- What follows is for the script at hand. A script starts anew for every trip, and each function
-- that it makes costs as much as a line that runs: so there are few.
local call, pack, unpack_numbers = redis.call, struct.pack, struct.unpack
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local text = ARGV[1]

-- The server's clock decides; it does, but some steps name their instants; or the client's clock decides.
local SERVER_TIME, SOME_INSTANTS, CLIENT_TIME = 0, 1, 2
local mode, rates, rates_high, position = unpack_numbers("<BI3I3", text)
rates = rates + 128 * rates_high

-- Microseconds on the server's clock.
local server_now = 0
if mode ~= CLIENT_TIME then
  local time = call("TIME")
  server_now = time[1] * 1000000 + time[2]
end

-- The three parameters of the next rate.
local function parameters()
  local a, a_high, a_power, b, b_high, b_power, c, c_high, c_power
  a, a_high, a_power, b, b_high, b_power, c, c_high, c_power, position =
    unpack_numbers("<I7I7BI7I7BI7I7B", text, position)
  return (a + 128 * a_high) * 2 ^ a_power, (b + 128 * b_high) * 2 ^ b_power, (c + 128 * c_high) * 2 ^ c_power
end
