-- A piece of the orders of an offer. ARGV: epoch, progress after it, the snapshot's seq, then (order, user, '1' live | '0' ended). 0 when a newer load has begun.
if redis.call('HGET', SALE, 'e') ~= ARGV[1] then
  return 0
end

for i = 4, #ARGV, 3 do
  local note = ARGV[i + 2] == '1' and commit or finish
  note(ARGV[i], ARGV[i + 1], ARGV[3])
end
writeCount()
redis.call('HSET', SALE, 'p', ARGV[2], 'y', redis.call('TIME')[1])
return 1
