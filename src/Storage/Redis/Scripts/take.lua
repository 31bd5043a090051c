-- Takes units for orders whose users are at home in another shard. KEYS: sale, offer, pending. ARGV: (now (ms), order) of each.
-- Gives how many of them got one: the first ones.
local sale = redis.call('HMGET', KEYS[1], 'w', 'd')
local listed = redis.call('ZCARD', KEYS[3])
local free = math.floor((tonumber(redis.call('HGET', KEYS[2], 's')) or 0) - listed)
local taken = math.min(free, #ARGV / 2)
if not sale[1] or taken <= 0 then
  return 0
end

redis.call('ZADD', KEYS[3], unpack(ARGV, 1, 2 * taken))
if listed == 0 then
  redis.call('PEXPIREAT', KEYS[3], sale[2])
end
return taken
