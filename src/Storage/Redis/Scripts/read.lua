-- The stock of an offer in a shard. KEYS: sale, offer, pending, spilled. Gives {warm, epoch, share, ledger available, seq, pending, spilled}.
local sale = redis.call('HMGET', KEYS[1], 'w', 'e')
local offer = redis.call('HMGET', KEYS[2], 's', 'a', 'n')
return {
  sale[1] and offer[3] and 1 or 0, tonumber(sale[2]) or 0, tonumber(offer[1]) or 0, tonumber(offer[2]) or 0, tonumber(offer[3]) or 0,
  redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4])}
