-- A cell of one rate is its numbers, doubles with the lowest byte first. One that is missing is all zero.
local FORMAT, FRESH = "<dd", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
if WIDTH == 3 then FORMAT, FRESH = "<ddd", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" end
