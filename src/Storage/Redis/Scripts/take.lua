-- Takes a unit for an order whose user is at home in another shard. KEYS: sale, offer, pending. ARGV: order, now (ms). 1 when there was one.
local sale = redis.call('HMGET', KEYS[1], 'w', 'd')
local listed = redis.call('ZCARD', KEYS[3])
if not sale[1] or (tonumber(redis.call('HGET', KEYS[2], 's')) or 0) <= listed then
  return 0
end

redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
if listed == 0 then
  redis.call('PEXPIREAT', KEYS[3], sale[2])
end
return 1
