-- Corrects a shard from the ledger. ARGV: 1 epoch and 2 seq that the caller knows to have been in this shard ('' and '0' when none), 3 seq ('' without stock),
-- 4 share, 5 ledger available, 6 now (ms; '' drops nothing), 7 how long an order may be pending (ms), 8 how long an ended one is remembered (ms),
-- 9 the number of committed, 10 refused, 11 ended orders, then these as (order, user), then orders whose unit was taken here for another shard.
-- Gives {1 settled | 0 not loaded or lost, epoch, seq, pending and spilled}.
local sale = redis.call('HMGET', SALE, 'e', 'w', 'x', 'y')
if not sale[1] or sale[3] then
  return {0, '0', '0', 0}
end

local epoch, warm, known = tonumber(sale[1]) or 0, sale[2], tonumber(ARGV[1])
local seq = tonumber(redis.call('HGET', OFFER, 'n')) or 0
if known and warm and (epoch < known or (epoch == known and seq < tonumber(ARGV[2]))) then
  -- What was written before is not here: flushed, failed over to an older copy, restored. Nothing else in here can be trusted either.
  redis.call('HDEL', SALE, 'w')
  redis.call('HSET', SALE, 'x', '1')
  return {0, sale[1], tostring(seq), 0}
end

local stockSeq = ARGV[3]
local at = 12
local function each(count, apply)
  for _ = 1, count do
    apply(ARGV[at], ARGV[at + 1], stockSeq)
    at = at + 2
  end
end
each(tonumber(ARGV[9]), commit)
each(tonumber(ARGV[10]), refuse)
each(tonumber(ARGV[11]), finish)
for i = at, #ARGV do
  redis.call('ZREM', PENDING, ARGV[i])
end

if ARGV[6] ~= '' then
  local now = tonumber(ARGV[6])
  local old = '(' .. string.format('%.0f', now - tonumber(ARGV[7]))
  for _, list in ipairs({PENDING, SPILLED}) do
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', list, '-inf', old, 'LIMIT', 0, 1000)) do
      redis.call('ZREM', list, member)
      local order = string.sub(member, 1, 16)
      if #member > 16 and redis.call('HGET', OFFER, order) == (list == PENDING and 'P' or 'S') then
        forget(order)
        uncount(string.sub(member, 17))
      end
    end
  end

  -- The first six bytes of an order's id are the time at which its token was made.
  for _ = 1, 1000 do
    local order = redis.call('LINDEX', ENDINGS, 0)
    if not order then
      break
    end
    local created = 0
    for i = 1, 6 do
      created = created * 256 + string.byte(order, i)
    end
    if now - created <= tonumber(ARGV[8]) then
      break
    end
    redis.call('LPOP', ENDINGS)
    local state = redis.call('HGET', OFFER, order)
    if state and string.sub(state, 1, 1) == 'E' then
      forget(order)
    end
  end
end
writeCount()

if stockSeq ~= '' and not (known and epoch > known) and tonumber(stockSeq) >= seq then
  redis.call('HSET', OFFER, 's', ARGV[4], 'a', ARGV[5], 'n', stockSeq)
  seq = tonumber(stockSeq)
end

-- A load that moves is not a loss: what was told above stays. One that stands still has died.
local settled = warm or tonumber(redis.call('TIME')[1]) - (tonumber(sale[4]) or 0) <= 5
return {settled and 1 or 0, sale[1], string.format('%.0f', seq), redis.call('ZCARD', PENDING) + redis.call('ZCARD', SPILLED)}
