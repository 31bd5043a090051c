-- Requests of one address. See gate_address.md.
local limits = require "limits"

local buckets = ngx.shared.addresses
local MAPPED = string.rep("\0", 10) .. "\255\255"

local _M = {}

-- An IPv4 address, or the /64 that a subscriber of IPv6 has to themselves.
local function key_of(address)
    if #address == 16 then
        return address:sub(1, 12) == MAPPED and address:sub(13) or address:sub(1, 8)
    end

    return address
end

function _M.check(request)
    local limit = limits.of "address"
    if not limit then
        return nil
    end

    local wait = limits.take(buckets, key_of(ngx.var.binary_remote_addr), limit, request.monotonic)
    return wait and limits.refusal("address", limit, wait)
end

return _M
