-- What became of a reservation. KEYS: sale, reserved, rejected. ARGV: user, '1' approved | '0' rejected.
local expires = redis.call('HGET', KEYS[1], 'd')
if not expires then
  return 0
end

local approved = ARGV[2] == '1'
local set = approved and KEYS[2] or KEYS[3]
redis.call('SADD', set, ARGV[1])
redis.call('SREM', approved and KEYS[3] or KEYS[2], ARGV[1])
redis.call('PEXPIREAT', set, expires)
return 1
