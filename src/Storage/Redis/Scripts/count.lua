-- What a shard has of a sale. KEYS: sale, reserved, rejected, then the hash of each offer. Gives {there, warm, reserved, rejected, orders}.
local orders = 0
for i = 4, #KEYS do
  orders = orders + redis.call('HLEN', KEYS[i])
  for _, state in ipairs(redis.call('HMGET', KEYS[i], 's', 'a', 'n', 'l')) do
    if state then
      orders = orders - 1
    end
  end
end
return {
  redis.call('EXISTS', KEYS[1]), redis.call('HEXISTS', KEYS[1], 'w'), redis.call('SCARD', KEYS[2]), redis.call('SCARD', KEYS[3]), orders}
