-- A piece of a new blacklist, beside the one in use; gone by itself when the rest never comes. KEYS: part. ARGV: (user, until in ms).
redis.call('HSET', KEYS[1], unpack(ARGV))
redis.call('PEXPIRE', KEYS[1], 60000)
return 1
