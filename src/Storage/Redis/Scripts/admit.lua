-- One admission, decided in the user's home shard. KEYS: sale, offer, users, pending, spilled, endings, reserved, rejected, barred.
-- ARGV: order (16 bytes), user, now (ms), '1' when another shard may be asked for a unit.
-- Gives the outcome as AdmissionOutcome counts it, or 11: noted here, and a unit is to be taken from another shard.
local order, user = ARGV[1], ARGV[2]
local offer = redis.call('HMGET', KEYS[2], order, 's', 'a', 'l')
if offer[1] then
  return 2
end

local sale = redis.call('HMGET', KEYS[1], 'w', 't', 'o', 'c', 'q', 'd')
if not sale[1] or not offer[4] then
  return 10
end

-- Status: 0 draft, 1 published, 2 paused, 3 closed (SalePhases.Of).
local now, status = tonumber(ARGV[3]), sale[2]
if status == '0' then
  return 3
elseif status == '3' or now >= tonumber(sale[4]) then
  return 5
elseif status == '2' then
  return 4
elseif now < tonumber(sale[3]) then
  return 3
end

local barred = redis.call('HGET', KEYS[9], user)
if barred and now < tonumber(barred) then
  return 7
end
if sale[5] == '1' and redis.call('SISMEMBER', KEYS[7], user) == 0 then
  return redis.call('SISMEMBER', KEYS[8], user) == 1 and 7 or 6
end

local count = tonumber(redis.call('HGET', KEYS[3], user) or 0)
if count >= tonumber(offer[4]) then
  return 8
end

-- Pending orders may still fail, so only the ledger's own zero is "sold out" (invariant I9).
local total = tonumber(offer[3]) or 0
if total <= 0 then
  return 9
end

local list, state, outcome = KEYS[4], 'P', 0
local listed = redis.call('ZCARD', list)
if (tonumber(offer[2]) or 0) <= listed then
  if ARGV[4] ~= '1' then
    return 1
  end
  list, state, outcome = KEYS[5], 'S', 11
  listed = redis.call('ZCARD', list)
end

redis.call('HSET', KEYS[2], order, state)
redis.call('HINCRBY', KEYS[3], user, 1)
redis.call('ZADD', list, ARGV[3], order .. user)
if listed == 0 then
  redis.call('PEXPIREAT', list, sale[6])
end
return outcome
