-- Permits of users, one after the other (TokenBucket says what a bucket is). KEYS: a user's bucket each. ARGV: (permits, µs that a permit takes to come back,
-- µs that an empty bucket takes to be full) of each. Gives for each the µs until they would be there; 0 when they were taken.
-- The clock is that of this server: one for all instances, whatever theirs say.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local buckets, taken, waits = redis.call('MGET', unpack(KEYS)), {}, {}
for i, key in ipairs(KEYS) do
  local permits, per, capacity = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local full = taken[key] or tonumber(buckets[i] or 0) or 0
  -- Never emptier than empty: after a failover to a server with an older clock, after a hand edit, and when a limit was raised.
  full = math.max(now, math.min(full, now + capacity)) + permits * per
  local wait = full - now - capacity
  if wait > 0 then
    waits[i] = math.ceil(wait)
  else
    waits[i] = 0
    taken[key] = full
  end
end
for key, full in pairs(taken) do
  redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
end
return waits
