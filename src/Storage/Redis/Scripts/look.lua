-- What a load finds in a shard. KEYS: sale. Gives {epoch ('' when nothing is here), warm, lost}.
local sale = redis.call('HMGET', KEYS[1], 'e', 'w', 'x')
return {sale[1] or '', sale[2] and 1 or 0, sale[3] and 1 or 0}
