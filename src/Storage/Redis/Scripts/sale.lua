-- Put in front of the scripts that change what an admission must know of a sale. KEYS: sale first.
-- Field w of its hash is there while the shard is complete, and has all that in one piece, because each field costs every admission: status, reservation
-- needed, somebody barred, opens, closes, keys expire.
local function publish(barred)
  local s = redis.call('HMGET', KEYS[1], 't', 'q', 'o', 'c', 'd')
  redis.call('HSET', KEYS[1], 'w', struct.pack('>BBBddd',
    tonumber(s[1]), tonumber(s[2]), redis.call('EXISTS', barred), tonumber(s[3]), tonumber(s[4]), tonumber(s[5])))
end

