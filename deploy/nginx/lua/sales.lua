-- The state of the sales as the application last said it. See sales.md.
local barred = require "barred"
local cjson = require "cjson.safe"

local state = ngx.shared.state
local byte, floor = string.byte, math.floor

local _M = {}

-- Of this worker, made once for each version of the document.
local version, document

local function binary(hex)
    if type(hex) ~= "string" or #hex ~= 16 or hex:find "[^%x]" then
        return nil
    end

    return (hex:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- nil: not known which orders there are. A filter has a power of two bytes.
local function filter_of(text)
    local bits = type(text) == "string" and ngx.decode_base64(text)
    local size = bits and #bits
    while size and size > 1 do
        size = size / 2
    end

    return (size == 0 or size == 1) and bits or nil
end

local function sale_of(said)
    local key = binary(said.key)
    if not key or type(said.id) ~= "string" or said.id:find "[^%w]" or type(said.offers) ~= "table"
        or type(said.opensAtMs) ~= "number" or type(said.opensAt) ~= "string" or type(said.closesAtMs) ~= "number" then
        return nil
    end

    local offers = {}
    for _, offer in ipairs(said.offers) do
        local offer_key = binary(offer.key)
        if offer_key then
            offers[offer_key] = { sold_out = offer.soldOut == true, filter = filter_of(offer.orders) }
        end
    end

    return key, {
        id = said.id, opens_at_ms = said.opensAtMs, opens_at = said.opensAt, closes_at_ms = said.closesAtMs, paused = said.paused == true, offers = offers,
    }
end

-- The document as tables; nil when it is none.
function _M.parse(text)
    local said = cjson.decode(text)
    if type(said) ~= "table" or type(said.epochMs) ~= "number" or type(said.rev) ~= "string" or type(said.sales) ~= "table" then
        return nil
    end

    local sales, sale_ids, offer_ids = {}, {}, {}
    for _, sale in ipairs(said.sales) do
        local key, known = sale_of(sale)
        if key then
            sales[key], sale_ids[known.id:lower()] = known, true
            for _, offer in ipairs(sale.offers) do
                offer_ids[tostring(offer.id):lower()] = true
            end
        end
    end

    return {
        epoch_ms = said.epochMs, rev = said.rev, limits = said.limits, tokens = said.tokens, sales = sales, sale_ids = sale_ids, offer_ids = offer_ids,
        barred = barred.parse(said.barredAddresses),
    }
end

-- Of this worker, as the dictionary had them when this turn of its loop began: a turn is a few milliseconds at the most, and serves many requests.
local turn, asked

-- The last document, and when it was asked for (monotonic milliseconds); nil before the first one. However old: the caller decides what that allows.
function _M.last()
    local now = ngx.now()
    if now == turn then
        return document, asked
    end

    turn = now
    -- In this order: what was asked for later may be newer than "asked" says, never older.
    asked = state:get "asked"
    local newest = asked and state:get "version"
    if newest ~= version then
        local text = state:get "text"
        document = text and _M.parse(text)
        version = newest
    end

    return document, asked
end

-- Whether the order may be among those that were ever placed: false is certain.
function _M.may_have(offer, order)
    local filter = offer.filter
    if not filter or filter == "" then
        return not filter
    end

    local a, b, c, d, e, f, g, h = byte(order, 9, 16)
    local first = ((a * 256 + b) * 256 + c) * 256 + d
    local step = ((e * 256 + f) * 256 + g) * 256 + h
    if step % 2 == 0 then
        step = step + 1
    end

    local bits = 8 * #filter
    for i = 0, 5 do
        local at = (first + i * step) % bits
        local byte_at = byte(filter, floor(at / 8) + 1)
        if floor(byte_at / 2 ^ (at % 8)) % 2 == 0 then
            return false
        end
    end

    return true
end

return _M
