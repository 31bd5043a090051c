-- Reservations and order tokens for barred addresses. See gate_blacklist.md.
local barred = require "barred"
local sales = require "sales"

-- As old as the state may be (gate_sale.lua): who was let in again must not be refused for longer.
local FRESH = 500

local REFUSED = { code = "not-eligible", reason = "barred-address" }

local _M = {}

-- Whether the application knows what is asked for, so that what is not there is still not found.
local function is_known(document, path)
    local offer = path:match "^/api/v1/offers/(%w+)/order%-tokens/?$"
    if offer then
        return document.offer_ids[offer]
    end

    local sale = path:match "^/api/v1/sales/(%w+)/reservations/?$"
    return sale and document.sale_ids[sale]
end

function _M.check(request)
    if request.class ~= "shopping" or request.method ~= "POST" or not request.user or request.has_role then
        return nil
    end

    local document, asked = sales.last()
    if not document or not document.barred or request.monotonic - asked > FRESH then
        return nil
    end

    return barred.bars(document.barred, ngx.var.binary_remote_addr) and is_known(document, ngx.var.uri:lower()) and REFUSED or nil
end

return _M
