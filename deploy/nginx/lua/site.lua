-- The settings of site.conf, read and checked when nginx starts. See site.md.
local hmac = require "hmac"

local _M = { token_keys = {} }

local function read(path)
    local file = io.open(path, "rb")
    if not file then
        return nil
    end

    local text = file:read "*a"
    file:close()
    return text
end

_M.read_file = read

-- A wrong setting stops the start, as in the application: guessing would be worse.
local function key_of(text, name)
    local path = text:match "^file:(.+)$"
    text = path and assert(read(path), "site.conf: " .. name .. " is in " .. path .. ", which cannot be read") or text
    text = text:match "^%s*(.-)%s*$"
    local secret = ngx.decode_base64(text)
    assert(secret and #secret >= 32, "site.conf: " .. name .. " must be 32 bytes or more in base64")
    return secret, text
end

-- HKDF (RFC 5869) over the key as it is written, as the application does where instances share a ledger.
local function derived(session_key)
    local extracted = hmac.sign(hmac.key(string.rep("\0", 32)), session_key)
    return hmac.sign(hmac.key(extracted), "flashsale order tokens\1")
end

local function address_of(text)
    local host, port = text:match "^%[?([%w.:%-]-)%]?:(%d+)$"
    return { host = assert(host, "site.conf: state must be a list of host:port, not " .. text), port = tonumber(port) }
end

function _M.read(site)
    _M.home = site.home
    local session_key
    if (site.session_key or "") ~= "" then
        local secret
        secret, session_key = key_of(site.session_key, "session_key")
        _M.session_key = hmac.key(secret)
    end

    for i, text in ipairs(site.token_keys or {}) do
        local secret
        if text == "derived" then
            secret = derived(assert(session_key, "site.conf: token_keys are to be derived from session_key, which is not set"))
        else
            secret = key_of(text, "token_keys[" .. i .. "]")
        end

        _M.token_keys[hmac.sha256(secret):sub(1, 4)] = hmac.key(secret)
        _M.reads_tokens = true
    end

    _M.state = {}
    for i, text in ipairs(site.state or {}) do
        _M.state[i] = address_of(text)
    end

    -- Everything is loaded here: as root, where workers may not be able to read these folders at all.
    require("busy").load(site.home .. "/html")
    require "gates"
    require "time"
    require "documents"
    require "published"
    require "health"
    require "poller"
end

return _M
