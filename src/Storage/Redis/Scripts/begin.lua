-- Makes a shard ready for a load. KEYS: sale, reserved, rejected, barred, then all other keys of the sale in this shard.
-- ARGV: epoch, offers, time to live (ms).
-- Gives {1, progress of a load of this epoch that stopped here}, or {0} when another load of a newer epoch has begun.
local sale = redis.call('HMGET', KEYS[1], 'e', 'x', 'p')
local stored, epoch = tonumber(sale[1]), tonumber(ARGV[1])
if stored and stored > epoch then
  return {0, ''}
end

local progress = sale[3] or ''
if stored ~= epoch or sale[2] then
  redis.call('UNLINK', unpack(KEYS))
  progress = ''
end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'e', ARGV[1], 'f', ARGV[2], 'y', time[1])
if redis.call('HEXISTS', KEYS[1], 'd') == 0 then
  redis.call('HSET', KEYS[1], 'd', string.format('%.0f', time[1] * 1000 + tonumber(ARGV[3])))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {1, progress}
