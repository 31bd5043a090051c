-- Asks the application for the state of the sales. See poller.md.
local clock = require "clock"
local counters = require "counters"
local sales = require "sales"
local site = require "site"

local state = ngx.shared.state

-- Seconds between two questions, and between two sums of the counters; milliseconds for each step of one and for the whole; bytes of an answer. A filter of a million orders is 2 MB, 2.7 MB as text.
local EVERY = 0.25
local PATIENCE = 450
local ADD_UP = 0.1

-- Milliseconds: an answer that took longer says too little of the clock.
local CLOCK_PATIENCE = 200
local LONGEST = 8 * 1024 * 1024

local _M = {}

-- The body of a 200; nil and why there is none. heard: the application answered, whatever it said.
local function receive(socket, sent)
    local status, err = socket:receive "*l"
    if not status then
        return nil, err
    end

    state:set("heard", sent)
    if not status:find "^HTTP/1%.[01] 200" then
        return nil, "answered " .. status
    end

    repeat
        local line
        line, err = socket:receive "*l"
        if not line then
            return nil, err
        end
    until line == ""

    local parts, length = {}, 0
    while true do
        local part, ended, rest = socket:receive(65536)
        part = part or rest
        length = length + #part
        parts[#parts + 1] = part
        if ended == "closed" then
            return table.concat(parts)
        end

        if ended or length > LONGEST or clock.monotonic() - sent > PATIENCE then
            return nil, ended or "too slow or too long"
        end
    end
end

local function ask(address, sent)
    local socket = ngx.socket.tcp()
    socket:settimeouts(PATIENCE, PATIENCE, PATIENCE)
    local ok, err = socket:connect(address.host, address.port)
    if not ok then
        return nil, err
    end

    local body
    -- HTTP/1.0: the answer is not chunked, and ends with the connection.
    ok, err = socket:send "GET /edge/state HTTP/1.0\r\nHost: edge\r\nConnection: close\r\n\r\n"
    if ok then
        body, err = receive(socket, sent)
    end

    socket:close()
    return body, err
end

-- Takes over what an instance said. The age of it counts from before it was asked.
local function learn(text, sent, received)
    local document = sales.parse(text)
    if not document then
        return nil, "not a state document"
    end

    -- Another worker was faster, after a slow one had begun.
    if sent < (state:get "asked" or 0) then
        return true
    end

    if received - sent <= CLOCK_PATIENCE then
        clock.learn(document.epoch_ms, sent, received)
    end

    if document.rev ~= state:get "rev" then
        local ok, err = state:set("text", text)
        if not ok then
            return nil, err
        end

        state:set("rev", document.rev)
        state:incr("version", 1, 0)
    end

    state:set("asked", sent)
    return true
end

local function poll()
    local first = state:get "answered_last" or 1
    local problem = "site.conf names nobody"
    for i = 0, #site.state - 1 do
        local at = (first - 1 + i) % #site.state + 1
        local sent = clock.monotonic()
        local text, err = ask(site.state[at], sent)
        local ok
        if text then
            ok, err = learn(text, sent, clock.monotonic())
        end

        if ok then
            state:set("answered_last", at)
            counters.poll "read"
            return nil
        end

        problem = site.state[at].host .. ":" .. site.state[at].port .. ": " .. tostring(err)
    end

    counters.poll "failed"
    return problem
end

-- Every worker would; one at a time does, and if it dies the others go on.
local function tick(premature)
    if premature or not state:add("polling", true, EVERY * 0.96) then
        return
    end

    local problem = poll()
    -- Said when it changes, not four times a second.
    if (problem ~= nil) ~= (state:get "silent" == true) then
        state:set("silent", problem ~= nil)
        ngx.log(ngx.ERR, problem and "no state of the sales, so every order is passed on: " .. problem or "the state of the sales is read again")
    end
end

function _M.start()
    math.randomseed(ngx.now() * 1000 + ngx.worker.pid())
    assert(ngx.timer.at(0, tick))
    assert(ngx.timer.every(ADD_UP, counters.add_up))
    assert(ngx.timer.every(EVERY, tick))
end

return _M
