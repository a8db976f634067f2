-- Answers with the server's time, the total of what is gone and all entries of the one log.
open(KEYS[1])
return pack("<dd", server_now, log.gone) .. stored(log.size)
