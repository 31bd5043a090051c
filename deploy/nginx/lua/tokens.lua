-- Order tokens: their form and signature (src/Core/Tokens/OrderTokens.cs is the rule). See tokens.md.
local base64 = require "ngx.base64"
local hmac = require "hmac"
local site = require "site"

local byte, sub = string.byte, string.sub
local decode, encode = base64.decode_base64url, base64.encode_base64url

local VERSION, HEAD, SIGNATURE = 2, 54, 32
local LONGEST = math.floor(((HEAD + 64 + SIGNATURE) * 4 + 2) / 3)

local _M = {}

local function number(bytes, at)
    local a, b, c, d, e, f, g, h = byte(bytes, at, at + 7)
    return (((a * 256 + b) * 256 + c) * 256 + d) * 4294967296 + ((e * 256 + f) * 256 + g) * 256 + h
end

-- The token when it is ours, for this user and in its one canonical spelling; else nil. Its age is not looked at.
function _M.read(text, user)
    local bytes = #text <= LONGEST and decode(text)
    if not bytes or #bytes < HEAD + SIGNATURE or byte(bytes, 1) ~= VERSION or encode(bytes) ~= text then
        return nil
    end

    local signed = HEAD + byte(bytes, HEAD)
    if #bytes ~= signed + SIGNATURE then
        return nil
    end

    local key = site.token_keys[sub(bytes, 2, 5)]
    if not key or not hmac.verify(key, bytes, signed, sub(bytes, signed + 1)) or sub(bytes, HEAD + 1, signed) ~= user then
        return nil
    end

    return { issued_at = number(bytes, 6), order = sub(bytes, 14, 29), sale = sub(bytes, 30, 37), offer = sub(bytes, 38, 45) }
end

return _M
