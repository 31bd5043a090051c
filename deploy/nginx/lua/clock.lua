-- Clocks. See clock.md.
local ffi = require "ffi"

ffi.cdef [[
    typedef struct { long seconds; long nanoseconds; } gateway_timespec;
    int clock_gettime(int clock, gateway_timespec *time);
]]

local C = ffi.C
local time = ffi.new "gateway_timespec"
local floor = math.floor
local state = ngx.shared.state
local MONOTONIC = 1

local _M = {}

-- Milliseconds since the machine was started; the same in all workers, and no clock that is set disturbs it.
function _M.monotonic()
    C.clock_gettime(MONOTONIC, time)
    return tonumber(time.seconds) * 1000 + tonumber(time.nanoseconds) / 1000000
end

-- The application's clock in Unix milliseconds; nil until it was read once.
function _M.application(monotonic)
    local ahead = state:get "clock"
    return ahead and monotonic + ahead
end

-- What the application said its clock was, somewhere between the two moments: so wrong by half of what lies between them at most.
function _M.learn(epoch_ms, sent, received)
    state:set("clock", epoch_ms - (sent + received) / 2)
end

local second, spelled

-- RFC 3339 with milliseconds and Z, as the application writes it.
function _M.rfc3339(epoch_ms)
    epoch_ms = floor(epoch_ms)
    local seconds = floor(epoch_ms / 1000)
    if seconds ~= second then
        second, spelled = seconds, os.date("!%Y-%m-%dT%H:%M:%S", seconds)
    end

    return string.format("%s.%03dZ", spelled, epoch_ms - seconds * 1000)
end

return _M
