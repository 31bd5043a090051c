-- Bars a user, or lifts it. KEYS: sale, barred. ARGV: user, until (ms; '' lifts it).
local expires = redis.call('HGET', KEYS[1], 'd')
if not expires then
  return 0
end

if ARGV[2] == '' then
  redis.call('HDEL', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
  redis.call('PEXPIREAT', KEYS[2], expires)
end
if redis.call('HEXISTS', KEYS[1], 'w') == 1 then
  publish(KEYS[2])
end
return 1
