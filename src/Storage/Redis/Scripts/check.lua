-- May a user order? KEYS: sale, reserved, rejected, barred. ARGV: user, now (ms). Gives the answer as Eligibility counts it.
local sale = redis.call('HMGET', KEYS[1], 'w', 'q')
if not sale[1] then
  return 3
end

local barred = redis.call('HGET', KEYS[4], ARGV[1])
if barred and tonumber(ARGV[2]) < tonumber(barred) then
  return 2
end
if sale[2] ~= '1' or redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then
  return 0
end
return redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1 and 2 or 1
