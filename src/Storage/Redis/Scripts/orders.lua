-- Put in front of the scripts that tell what became of orders. KEYS: sale, offer, pending, spilled, endings.
-- All of an offer that an admission looks at is one hash: s share, a ledger available, n ledger's seq, l limit of a user, k number of orders,
-- u<user> live and pending orders of a user. An order is a field of it too, named by its 16 bytes (bytes of one UUID are never the name of another field):
--   P      pending, its unit taken from this shard      S      pending, its unit taken from another shard
--   L<n>   holds a unit as of the ledger's seq n        E<n>   holds none any more
-- A fact with an older seq than the entry has was overtaken on its way, and changes nothing.
local SALE, OFFER, PENDING, SPILLED, ENDINGS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local added = 0

-- To be called last: one write for all orders that came and went.
local function writeCount()
  if added ~= 0 then
    redis.call('HINCRBY', OFFER, 'k', added)
  end
end

local function seqOf(state)
  return tonumber(string.sub(state, 2)) or 0
end

local function uncount(user)
  if redis.call('HINCRBY', OFFER, 'u' .. user, -1) <= 0 then
    redis.call('HDEL', OFFER, 'u' .. user)
  end
end

local function forget(order)
  added = added - redis.call('HDEL', OFFER, order)
end

local function unlist(order, user, state)
  redis.call('ZREM', state == 'P' and PENDING or SPILLED, order .. user)
end

-- seq: '' when the ledger could not be asked; then only what is pending or unknown moves.
local function commit(order, user, seq)
  local state = redis.call('HGET', OFFER, order)
  if state == 'P' or state == 'S' then
    unlist(order, user, state)
  elseif not state then
    redis.call('HINCRBY', OFFER, 'u' .. user, 1)
  elseif seq == '' or tonumber(seq) <= seqOf(state) then
    return
  elseif string.sub(state, 1, 1) == 'E' then
    redis.call('HINCRBY', OFFER, 'u' .. user, 1)
  end
  added = added + redis.call('HSET', OFFER, order, 'L' .. (seq == '' and '0' or seq))
end

-- Ended orders stand in a list, so that they can be forgotten when no token for them lives any more.
local function finish(order, user, seq)
  local state = redis.call('HGET', OFFER, order)
  if seq == '' then
    seq = state and tostring(seqOf(state)) or '0'
  end
  if state == 'P' or state == 'S' then
    unlist(order, user, state)
    uncount(user)
  elseif state and tonumber(seq) < seqOf(state) then
    return
  elseif state and string.sub(state, 1, 1) == 'L' then
    uncount(user)
  end
  added = added + redis.call('HSET', OFFER, order, 'E' .. seq)
  if not state or string.sub(state, 1, 1) ~= 'E' then
    if redis.call('RPUSH', ENDINGS, order) == 1 then
      redis.call('PEXPIREAT', ENDINGS, redis.call('HGET', SALE, 'd') or 0)
    end
  end
end

-- Only what is pending goes: an order that another batch has committed in the meantime stays.
local function refuse(order, user)
  local state = redis.call('HGET', OFFER, order)
  if state == 'P' or state == 'S' then
    unlist(order, user, state)
    forget(order)
    uncount(user)
  end
end
