-- Who is asking. See sessions.md.
local base64 = require "ngx.base64"
local cjson = require "cjson.safe"
local clock = require "clock"
local hmac = require "hmac"
local lrucache = require "resty.lrucache"
local site = require "site"

local decode = base64.decode_base64url

-- Good sessions of this worker by their text; what was found bad is not remembered. 32,768 of about half a kilobyte.
local known = lrucache.new(32768)
local LONGEST = 4096

local _M = {}

local function names(claim, value)
    if type(claim) == "table" then
        for _, item in ipairs(claim) do
            if item == value then
                return true
            end
        end
    end

    return claim == value
end

local function verify(token, now)
    local signed, signature = token:match "^([%w_-]+%.[%w_-]+)%.([%w_-]+)$"
    signature = signature and decode(signature)
    if not signature or #signature ~= 32 or not hmac.verify(site.session_key, signed, #signed, signature) then
        return nil
    end

    local head, claims = signed:match "^(.-)%.(.*)$"
    head = cjson.decode(decode(head) or "")
    claims = cjson.decode(decode(claims) or "")
    if type(head) ~= "table" or head.alg ~= "HS256" or type(claims) ~= "table" then
        return nil
    end

    local user, expires, not_before = claims.sub, claims.exp, claims.nbf
    if type(user) ~= "string" or #user > 64 or not user:find "^[%w._-]+$"
        or type(expires) ~= "number" or expires * 1000 <= now
        or not_before ~= nil and (type(not_before) ~= "number" or not_before * 1000 > now)
        or not names(claims.iss, "flashsale") or not names(claims.aud, "flashsale") then
        return nil
    end

    return { user = user, expires = expires * 1000, has_role = claims.role ~= nil and next(type(claims.role) == "table" and claims.role or { claims.role }) ~= nil }
end

-- A cookie travels by itself: with an unsafe method it counts only when the browser says that the request comes from our own pages.
local function from_own_page()
    local origin = ngx.var.http_origin
    if origin then
        return origin:match "^https?://(.+)$" == ngx.var.http_host
    end

    return ngx.var.http_sec_fetch_site == "same-origin"
end

local function text_of(method)
    local header = ngx.var.http_authorization
    if header then
        local kind = header:sub(1, 7)
        return (kind == "Bearer " or kind:lower() == "bearer ") and header:sub(8) or nil
    end

    local cookie = ngx.var.cookie_flashsale_session
    if cookie and (method == "GET" or method == "HEAD" or method == "OPTIONS" or from_own_page()) then
        return cookie
    end
end

-- The user whose session is verified, and whether it names any role; nil for anybody else: then the application says what is wrong with it.
function _M.user(method, now)
    local token = site.session_key and text_of(method)
    if not token or #token > LONGEST then
        return nil
    end

    -- Before the application's clock is known this machine's must do: a limit depends on it, and no answer.
    now = now or ngx.now() * 1000
    local session = known:get(token)
    if not session then
        session = verify(token, now)
        if not session then
            return nil
        end

        known:set(token, session)
    end

    if session.expires > now then
        return session.user, session.has_role
    end
end

return _M
