-- The end of a load: everything is there. KEYS: sale, reserved, rejected, barred, then four of each offer: offer, pending, spilled, endings.
-- ARGV: epoch, rev, opens, closes, status, needs a reservation, time to live (ms), then limit, share, ledger available, seq of each offer.
-- 0 when a newer load has begun.
local sale = redis.call('HMGET', KEYS[1], 'e', 'r')
if sale[1] ~= ARGV[1] then
  return 0
end

if (tonumber(sale[2]) or 0) <= tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'r', ARGV[2], 'o', ARGV[3], 'c', ARGV[4], 't', ARGV[5], 'q', ARGV[6])
end
local at = 8
for i = 5, #KEYS, 4 do
  redis.call('HSET', KEYS[i], 'l', ARGV[at])
  if (tonumber(redis.call('HGET', KEYS[i], 'n')) or 0) <= tonumber(ARGV[at + 3]) then
    redis.call('HSET', KEYS[i], 's', ARGV[at + 1], 'a', ARGV[at + 2], 'n', ARGV[at + 3])
  end
  at = at + 4
end

local expires = string.format('%.0f', redis.call('TIME')[1] * 1000 + tonumber(ARGV[7]))
redis.call('HSET', KEYS[1], 'd', expires)
publish(KEYS[4])
redis.call('HDEL', KEYS[1], 'p')
for _, key in ipairs(KEYS) do
  redis.call('PEXPIREAT', key, expires)
end
return 1
