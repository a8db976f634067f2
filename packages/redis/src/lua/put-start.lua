-- The beginning of the script for one put of one key under one rate, by the server's clock: what most
-- calls are that ride alone. It is told so little that no text has to be read: ARGV is the units,
-- and then the parameters of the rate.
local PUT, CHARGE, REFUND = 1, 2, 3
local SERVER_TIME, CLIENT_TIME = 0, 2
local mode = SERVER_TIME
local call, pack, unpack_numbers = redis.call, struct.pack, struct.unpack
local ceil, max, min = math.ceil, math.max, math.min
local time = call("TIME")
local server_now = time[1] * 1000000 + time[2]
