-- The order token of a request to order. See gate_token.md.
local sales = require "sales"
local site = require "site"
local tokens = require "tokens"

local sub = string.sub

-- What the application's clock may be wrong by here (clock.md).
local MARGIN = 100

local REJECTED = { code = "order-token-rejected", reason = "token" }
local TOO_YOUNG = { code = "order-token-rejected", reason = "token-too-young" }
local TOO_OLD = { code = "order-token-rejected", reason = "token-too-old" }

local _M = {}

local PREFIX, SUFFIX = '{"token":"', '"}'

local function is_json(kind)
    if kind == "application/json" then
        return true
    end

    local after = kind and sub(kind, 17, 17)
    return kind and sub(kind, 1, 16):lower() == "application/json" and (after == "" or after == ";" or after == " ")
end

local function body_of()
    if not is_json(ngx.var.http_content_type) or ngx.var.http_content_encoding then
        return nil
    end

    ngx.req.read_body()
    return ngx.req.get_body_data()
end

-- The token of a body, and its text where that is a token's: nil for what is written in another way, which is the application's to read. First as nearly everybody
-- writes it: a pattern would be run by the interpreter, and the whole request with it.
local function read(body, user)
    if sub(body, 1, #PREFIX) == PREFIX and sub(body, -#SUFFIX) == SUFFIX then
        local token = tokens.read(sub(body, #PREFIX + 1, -#SUFFIX - 1), user)
        if token then
            return token, true
        end
    end

    local text = body:match '^%s*{%s*"token"%s*:%s*"([%w_.~+/=-]+)"%s*}%s*$'
    return text and tokens.read(text, user), text
end

local function refuse_age(age)
    local document = sales.last()
    local ages = document and document.tokens
    if type(ages) ~= "table" or type(ages.minimumAgeMs) ~= "number" or type(ages.maximumAgeMs) ~= "number" then
        return nil
    end

    return age < ages.minimumAgeMs - MARGIN and TOO_YOUNG or age > ages.maximumAgeMs + MARGIN and TOO_OLD or nil
end

function _M.check(request)
    if request.class ~= "order" or request.method ~= "POST" or not request.user or not site.reads_tokens then
        return nil
    end

    local body = body_of()
    local token, text
    if body then
        token, text = read(body, request.user)
    end

    if not token then
        return text and REJECTED
    end

    request.token = token
    return request.now and refuse_age(request.now - token.issued_at)
end

return _M
