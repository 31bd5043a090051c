-- Puts a new blacklist in the place of the old one. KEYS: sale, barred, part. ARGV: rev, how many it has.
-- 0 when the sale is not here, or has a newer one; -1 when the part is not complete.
local sale = redis.call('HMGET', KEYS[1], 'd', 'b')
if not sale[1] or (tonumber(sale[2]) or 0) > tonumber(ARGV[1]) then
  redis.call('UNLINK', KEYS[3])
  return 0
end

if redis.call('HLEN', KEYS[3]) ~= tonumber(ARGV[2]) then
  return -1
end
if ARGV[2] == '0' then
  redis.call('UNLINK', KEYS[2])
else
  redis.call('RENAME', KEYS[3], KEYS[2])
  redis.call('PEXPIREAT', KEYS[2], sale[1])
end
redis.call('HSET', KEYS[1], 'b', ARGV[1])
if redis.call('HEXISTS', KEYS[1], 'w') == 1 then
  publish(KEYS[2])
end
return 1
