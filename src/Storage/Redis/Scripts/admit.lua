-- Admissions in their users' home shard, decided one after the other. KEYS: sale, offer, pending, spilled, reserved, rejected, barred (orders.lua and sale.lua
-- say what is in them). ARGV: '1' when another shard may be asked for a unit, then (order (16 bytes), user, now (ms; '' as before; negative: its
-- device or address is barred)) of each.
-- Gives a byte for each: the outcome as AdmissionOutcome counts it, or 100: noted here, and a unit is to be taken from another shard.
-- This runs for every request that comes so far: what counts is the number of calls, so each is made once for all of them.
local call, args = redis.call, ARGV
local ORDERS = (#args - 1) / 3
local fields = {'s', 'a', 'l', 'k'}
for i = 1, ORDERS do
  fields[2 * i + 3] = args[3 * i - 1]
  fields[2 * i + 4] = 'u' .. args[3 * i]
end
local offer = call('HMGET', KEYS[2], unpack(fields))
local sale = call('HGET', KEYS[1], 'w')
local warm = sale and offer[3]

-- Status: 0 draft, 1 published, 2 paused, 3 closed (SalePhases.Of).
local status, reserved, barred, opens, closes, expires
if warm then
  status, reserved, barred, opens, closes, expires = struct.unpack('>BBBddd', sale)
end
local share, available, limit = tonumber(offer[1]) or 0, tonumber(offer[2]) or 0, tonumber(offer[3])
local pending = warm and available > 0 and call('ZCARD', KEYS[3]) or 0
local barredUntil, isReserved, isRejected

-- What those before in this call have changed.
local seen, counts, notes, listed, spilled = {}, {}, {}, {}, {}
local time, now

local function ofAllUsers(command, key)
  local users = {}
  for i = 1, ORDERS do
    users[i] = args[3 * i]
  end
  return call(command, key, unpack(users))
end

local function decide(i)
  local order, account = fields[2 * i + 3], fields[2 * i + 4]
  local refused = false
  if args[3 * i + 1] ~= '' then
    time = args[3 * i + 1]
    now = tonumber(time)
    if now < 0 then
      refused, now = true, -now
    end
  end

  if offer[2 * i + 3] or seen[order] then
    return 2
  elseif not warm then
    return 10
  end

  if status == 0 then
    return 3
  elseif status == 3 or now >= closes then
    return 5
  elseif status == 2 then
    return 4
  elseif now < opens then
    return 3
  end

  if refused then
    return 7
  end
  if barred == 1 then
    barredUntil = barredUntil or ofAllUsers('HMGET', KEYS[7])
    if barredUntil[i] and now < tonumber(barredUntil[i]) then
      return 7
    end
  end
  if reserved == 1 then
    isReserved = isReserved or ofAllUsers('SMISMEMBER', KEYS[5])
    if isReserved[i] == 0 then
      isRejected = isRejected or ofAllUsers('SMISMEMBER', KEYS[6])
      return isRejected[i] == 1 and 7 or 6
    end
  end

  local count = counts[account] or tonumber(offer[2 * i + 4]) or 0
  if count >= limit then
    return 8
  end

  -- Pending orders may still fail, so only the ledger's own zero is "sold out" (invariant I9).
  if available <= 0 then
    return 9
  end

  local list, state, outcome = listed, 'P', 0
  if share <= pending + #listed / 2 then
    if args[1] ~= '1' then
      return 1
    end
    list, state, outcome = spilled, 'S', 100
  end

  seen[order], counts[account] = true, count + 1
  local at, last = #notes, #list
  notes[at + 1], notes[at + 2], notes[at + 3], notes[at + 4] = order, state, account, count == 0 and '1' or count + 1
  list[last + 1], list[last + 2] = time, order .. args[3 * i]
  return outcome
end

local outcomes = {}
for i = 1, ORDERS do
  outcomes[i] = decide(i)
end

local function write(key, list, before)
  call('ZADD', key, unpack(list))
  if before == 0 then
    call('PEXPIREAT', key, string.format('%.0f', expires))
  end
end

if #notes > 0 then
  local last = #notes
  notes[last + 1], notes[last + 2] = 'k', (tonumber(offer[4]) or 0) + last / 4
  call('HSET', KEYS[2], unpack(notes))
end
if #listed > 0 then
  write(KEYS[3], listed, pending)
end
if #spilled > 0 then
  write(KEYS[4], spilled, call('ZCARD', KEYS[4]))
end
return string.char(unpack(outcomes))
