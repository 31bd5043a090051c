-- A piece of the reservations. KEYS: sale, reserved, rejected. ARGV: epoch, progress after it, '1' approved | '0' rejected, users.
-- 0 when a newer load has begun. What was rejected since the snapshot stays so: nobody is let in by an old approval.
if redis.call('HGET', KEYS[1], 'e') ~= ARGV[1] then
  return 0
end

local users = {unpack(ARGV, 4)}
if ARGV[3] == '1' and redis.call('SCARD', KEYS[3]) > 0 then
  local rejected = redis.call('SMISMEMBER', KEYS[3], unpack(users))
  for i = #users, 1, -1 do
    if rejected[i] == 1 then
      table.remove(users, i)
    end
  end
end
if #users > 0 then
  local set = ARGV[3] == '1' and KEYS[2] or KEYS[3]
  redis.call('SADD', set, unpack(users))
  redis.call('PEXPIREAT', set, redis.call('HGET', KEYS[1], 'd'))
  if ARGV[3] ~= '1' then
    redis.call('SREM', KEYS[2], unpack(users))
  end
end
redis.call('HSET', KEYS[1], 'p', ARGV[2], 'y', redis.call('TIME')[1])
return 1
