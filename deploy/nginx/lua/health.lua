-- /healthz of the gateway itself. See health.md.
local clock = require "clock"

-- How long the application may be silent before the gateway says so: eight questions in vain.
local SILENCE = 2000

local _M = {}

local function send(status, reasons)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Cache-Control"] = "no-store"
    ngx.print(status == 200 and '{"status":"ok","reasons":[]}' or '{"status":"unavailable","reasons":["' .. reasons .. '"]}')
end

function _M.live()
    send(200)
end

function _M.ready()
    local heard = ngx.shared.state:get "heard"
    if heard and clock.monotonic() - heard < SILENCE then
        return send(200)
    end

    send(503, "no instance of the application answers /edge/state")
end

return _M
