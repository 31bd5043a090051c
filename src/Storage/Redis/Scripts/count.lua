-- What a shard has of a sale. KEYS: sale, reserved, rejected, then the hash of each offer. Gives {there, warm, reserved, rejected, orders}.
local orders = 0
for i = 4, #KEYS do
  orders = orders + (tonumber(redis.call('HGET', KEYS[i], 'k')) or 0)
end
return {
  redis.call('EXISTS', KEYS[1]), redis.call('HEXISTS', KEYS[1], 'w'), redis.call('SCARD', KEYS[2]), redis.call('SCARD', KEYS[3]), orders}
