-- Requests of one signed-in user. See gate_user.md.
local limits = require "limits"
local sessions = require "sessions"

local buckets = ngx.shared.users

local _M = {}

function _M.check(request)
    request.user, request.has_role = sessions.user(request.method, request.now)
    local limit = request.user and limits.of "user"
    if not limit then
        return nil
    end

    local wait = limits.take(buckets, request.user, limit, request.monotonic)
    return wait and limits.refusal("user", limit, wait)
end

return _M
