-- One admission, decided in the user's home shard. KEYS: sale, offer, pending, spilled, reserved, rejected, barred (orders.lua and sale.lua say what is in them).
-- ARGV: order (16 bytes), user, now (ms), '1' when another shard may be asked for a unit.
-- Gives the outcome as AdmissionOutcome counts it, or 100: noted here, and a unit is to be taken from another shard.
-- This runs for every request that comes so far: what counts is the number of calls.
local call, order, user = redis.call, ARGV[1], ARGV[2]
local account = 'u' .. user
local offer = call('HMGET', KEYS[2], order, account, 's', 'a', 'l', 'k')
if offer[1] then
  return 2
end

local sale = call('HGET', KEYS[1], 'w')
if not sale or not offer[5] then
  return 10
end

-- Status: 0 draft, 1 published, 2 paused, 3 closed (SalePhases.Of).
local status, reserved, barred, opens, closes, expires = struct.unpack('>BBBddd', sale)
local now = tonumber(ARGV[3])
if status == 0 then
  return 3
elseif status == 3 or now >= closes then
  return 5
elseif status == 2 then
  return 4
elseif now < opens then
  return 3
end

if barred == 1 then
  local till = call('HGET', KEYS[7], user)
  if till and now < tonumber(till) then
    return 7
  end
end
if reserved == 1 and call('SISMEMBER', KEYS[5], user) == 0 then
  return call('SISMEMBER', KEYS[6], user) == 1 and 7 or 6
end

local count = tonumber(offer[2] or 0)
if count >= tonumber(offer[5]) then
  return 8
end

-- Pending orders may still fail, so only the ledger's own zero is "sold out" (invariant I9).
if (tonumber(offer[4]) or 0) <= 0 then
  return 9
end

local list, state, outcome = KEYS[3], 'P', 0
local listed = call('ZCARD', list)
if (tonumber(offer[3]) or 0) <= listed then
  if ARGV[4] ~= '1' then
    return 1
  end
  list, state, outcome = KEYS[4], 'S', 100
  listed = call('ZCARD', list)
end

call('HSET', KEYS[2], order, state, account, count + 1, 'k', (tonumber(offer[6]) or 0) + 1)
call('ZADD', list, ARGV[3], order .. user)
if listed == 0 then
  call('PEXPIREAT', list, string.format('%.0f', expires))
end
return outcome
