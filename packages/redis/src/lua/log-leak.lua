-- Drops those of KEYS, logs, that are as good as new, and says how many. By the client's clock, 8
-- digits follow: the instant.
local at = mode == CLIENT_TIME and whole(position) or server_now
local dropped = 0
for i = 1, #KEYS do
  if open(KEYS[i]) and reset(at) == 0 then dropped = dropped + call("UNLINK", KEYS[i]) end
end
return dropped
