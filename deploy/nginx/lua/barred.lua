-- Which addresses are barred. See barred.md.
local byte, char, sub, floor = string.byte, string.char, string.sub, math.floor

local MAPPED = string.rep("\0", 10) .. "\255\255"

local _M = {}

-- The first bits of an address, the rest of the last byte zero.
local function cut(address, bits)
    local whole = floor(bits / 8)
    local rest = bits % 8
    if rest == 0 then
        return sub(address, 1, whole)
    end

    local step = 2 ^ (8 - rest)
    local last = byte(address, whole + 1)
    return sub(address, 1, whole) .. char(last - last % step)
end

-- Ranges as the state document has them, by the length of their prefix; nil when there is none.
function _M.parse(said)
    if type(said) ~= "table" then
        return nil
    end

    local lists, any = { [4] = {}, [16] = {} }, false
    for _, text in ipairs(said) do
        local hex, prefix = tostring(text):match "^(%x+)/(%d+)$"
        prefix = tonumber(prefix)
        local list = hex and lists[#hex / 2]
        if list and prefix <= 4 * #hex then
            local first = hex:gsub("..", function(pair) return char(tonumber(pair, 16)) end)
            list[prefix] = list[prefix] or {}
            list[prefix][cut(first, prefix)] = true
            any = true
        end
    end

    return any and lists or nil
end

-- address: in network order, 4 or 16 bytes.
function _M.bars(lists, address)
    if #address == 16 and sub(address, 1, 12) == MAPPED then
        address = sub(address, 13)
    end

    for prefix, ranges in pairs(lists[#address] or {}) do
        if ranges[cut(address, prefix)] then
            return true
        end
    end

    return false
end

return _M
