-- Not open, paused, ended, sold out: from memory, while that is fresh. See gate_sale.md.
local clock = require "clock"
local sales = require "sales"

-- How long after it was asked for the state may be used: one answer in twelve may be missed, and "sold out" is never older than I9 allows.
local FRESH = 500

-- The application's clock is known to 100 ms; an opening must not be missed, and an end may have been moved.
local BEFORE_OPENING = 100
local AFTER_END = 5000

local _M = {}

local function refusal_of(request, sale, offer)
    local now = request.now
    if now < sale.opens_at_ms then
        -- Nobody has an order yet, so that it need not be known which there are.
        return now < sale.opens_at_ms - BEFORE_OPENING and now < sale.closes_at_ms and not sale.paused
            and { code = "sale-not-open", reason = "not-open", sale = sale.id, opens_at = sale.opens_at, server_time = clock.rfc3339(now) } or nil
    end

    -- The token is the idempotency key: if its order exists, that is the answer, whatever became of the sale.
    if sales.may_have(offer, request.token.order) then
        return nil
    end

    if now >= sale.closes_at_ms then
        return now >= sale.closes_at_ms + AFTER_END and { code = "sale-ended", reason = "ended", sale = sale.id } or nil
    end

    if sale.paused then
        return { code = "sale-paused", reason = "paused", sale = sale.id }
    end

    return offer.sold_out and { code = "sold-out", reason = "sold-out", sale = sale.id } or nil
end

function _M.check(request)
    local token = request.token
    if not token or not request.now then
        return nil
    end

    local document, asked = sales.last()
    if not document or request.monotonic - asked > FRESH then
        return nil
    end

    local sale = document.sales[token.sale]
    local offer = sale and sale.offers[token.offer]
    return offer and refusal_of(request, sale, offer)
end

return _M
