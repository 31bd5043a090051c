-- Drops all of a sale in this shard. KEYS: all of them.
return redis.call('UNLINK', unpack(KEYS))
