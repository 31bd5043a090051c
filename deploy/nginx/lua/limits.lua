-- A token bucket for each key, as one number in a shared dictionary. See limits.md.
local sales = require "sales"

-- The application's own defaults (src/Core/Limits.cs), until it said others.
local DEFAULTS = {
    enabled = true,
    address = { perSecond = 1000, burst = 4000 },
    user = { perSecond = 50, burst = 200 },
}

local _M = {}

-- perSecond and burst of "address" or "user"; nil while limits are switched off.
function _M.of(name)
    local document = sales.last()
    local limits = document and type(document.limits) == "table" and document.limits or DEFAULTS
    if limits.enabled == false then
        return nil
    end

    local limit = limits[name]
    if type(limit) ~= "table" or (tonumber(limit.perSecond) or 0) <= 0 or (tonumber(limit.burst) or 0) < 1 then
        limit = DEFAULTS[name]
    end

    return limit
end

-- Takes a permit. nil, or the milliseconds until there is one again.
--
-- The number (GCRA) is the moment at which the bucket is full again. Adding to it is one atomic step for all workers; only a bucket that was full is set, and
-- two workers that do so at once give away one permit too many.
function _M.take(buckets, key, limit, now)
    local interval = 1000 / limit.perSecond
    local full_at, err = buckets:incr(key, interval, now)
    if not full_at then
        -- No memory for one more: better let through than refuse everybody.
        return nil, err
    end

    if full_at < now + interval then
        buckets:set(key, now + interval)
        return nil
    end

    local over = full_at - now - limit.burst * interval
    -- A thousandth of a permit for what adding loses.
    if over > interval / 1000 then
        buckets:incr(key, -interval)
        return over
    end

    return nil
end

-- Headers of a refusal: draft-ietf-httpapi-ratelimit-headers.
function _M.refusal(name, limit, wait)
    ngx.header["RateLimit-Policy"] = string.format('"%s";q=%d;w=%d', name, limit.burst, math.max(1, math.ceil(limit.burst / limit.perSecond)))
    ngx.header["RateLimit"] = string.format('"%s";r=0;t=%d', name, math.max(1, math.ceil(wait / 1000)))
    return { code = "rate-limited", reason = name .. "-rate", retry_after_ms = wait }
end

return _M
