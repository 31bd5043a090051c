-- GET /api/v1/time. See time.md.
local clock = require "clock"
local counters = require "counters"

local _M = {}

function _M.serve()
    local now = clock.application(clock.monotonic())
    if not now or ngx.req.get_method() ~= "GET" then
        counters.ended("time", "passed")
        return ngx.exec "@storefront"
    end

    now = math.floor(now)
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Cache-Control"] = "no-store"
    local body = string.format('{"serverTime":"%s","epochMs":%.0f}', clock.rfc3339(now), now)
    ngx.header["Content-Length"] = #body
    counters.ended("time", "answered")
    ngx.print(body)
end

return _M
