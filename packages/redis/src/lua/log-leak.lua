-- Drops those of KEYS, logs, that are as good as new, and says how many. By the client's
-- clock the instant follows, 7 + 7 bytes.
local at, at_high = server_now, 0
if mode == CLIENT_TIME then at, at_high = unpack_numbers("<I7I7", text, position) end
at = at + 128 * at_high
local dropped = 0
for i = 1, #KEYS do
  if open(KEYS[i]) and reset(at) == 0 then dropped = dropped + call("UNLINK", KEYS[i]) end
end
return dropped
