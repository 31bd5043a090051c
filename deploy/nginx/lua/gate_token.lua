-- The order token of a request to order. See gate_token.md.
local sales = require "sales"
local site = require "site"
local tokens = require "tokens"

-- What the application's clock may be wrong by here (clock.md).
local MARGIN = 100

local REJECTED = { code = "order-token-rejected", reason = "token" }
local TOO_YOUNG = { code = "order-token-rejected", reason = "token-too-young" }
local TOO_OLD = { code = "order-token-rejected", reason = "token-too-old" }

local _M = {}

-- The token of the one plain spelling. What is written in another way is the application's to read.
local function token_of()
    local kind = ngx.var.http_content_type
    if not kind or not kind:lower():find "^application/json" or kind:find "^.-json[^; ]" or ngx.var.http_content_encoding then
        return nil
    end

    ngx.req.read_body()
    local body = ngx.req.get_body_data()
    return body and body:match '^%s*{%s*"token"%s*:%s*"([%w_.~+/=-]+)"%s*}%s*$'
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
    if request.class ~= "order" or request.method ~= "POST" or not request.user or not next(site.token_keys) then
        return nil
    end

    local text = token_of()
    if not text then
        return nil
    end

    request.token = tokens.read(text, request.user)
    if not request.token then
        return REJECTED
    end

    return request.now and refuse_age(request.now - request.token.issued_at)
end

return _M
