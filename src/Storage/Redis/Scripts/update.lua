-- Times and status of a sale. KEYS: all of the sale in this shard: sale, reserved, rejected, barred first. ARGV: rev, opens, closes, status, needs a reservation, time to live (ms).
local rev = redis.call('HGET', KEYS[1], 'r')
if not rev or (tonumber(rev) or 0) > tonumber(ARGV[1]) then
  return 0
end

local expires = string.format('%.0f', redis.call('TIME')[1] * 1000 + tonumber(ARGV[6]))
redis.call('HSET', KEYS[1], 'r', ARGV[1], 'o', ARGV[2], 'c', ARGV[3], 't', ARGV[4], 'q', ARGV[5], 'd', expires)
if redis.call('HEXISTS', KEYS[1], 'w') == 1 then
  publish(KEYS[4])
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIREAT', key, expires)
end
return 1
