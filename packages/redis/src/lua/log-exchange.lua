-- Writes the entries in ARGV[3] as the one log, each a time and its units, where that still has as
-- many entries, the same first and last time and the same total as ARGV[2] says, and tells whether
-- it had: doubles, the lowest byte first. By the client's clock the instant follows, 7 + 7 bytes.
local at, at_high = server_now, 0
if mode == CLIENT_TIME then at, at_high = unpack_numbers("<I7I7", text, position) end
local size, oldest, newest, total = unpack_numbers("<dddd", ARGV[2])
open(KEYS[1])
if log.size ~= size then return 0 end
if size > 0 and (log.oldest ~= oldest or log.newest ~= newest or log.total - log.gone ~= total) then return 0 end
call("UNLINK", KEYS[1])
open(KEYS[1])
for place = 1, #ARGV[3], 16 do
  local time, units = unpack_numbers("<dd", ARGV[3], place)
  append(time, units)
end
save(nil, at + 128 * at_high)
return 1
