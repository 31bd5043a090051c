-- What came, and what became of it. See counters.md.
local counters = ngx.shared.counters

local _M = {}

-- Of this worker, not yet added to the others': a sale refuses far too many to lock the dictionary for each.
local pending = {}

-- The key is the line of the metric: to show them is to list them.
local function count(name)
    pending[name] = (pending[name] or 0) + 1
end

function _M.add_up()
    for name, more in pairs(pending) do
        if more > 0 then
            counters:incr(name, more, 0)
            pending[name] = 0
        end
    end
end

-- The names are made once: a format with up to two words in it.
local function made(format)
    local names = {}
    return function(a, b)
        local inner = names[a]
        if not inner then
            inner = {}
            names[a] = inner
        end

        local name = inner[b]
        if not name then
            name = string.format(format, a, b)
            inner[b] = name
        end

        count(name)
    end
end

local outcome = made 'flashsale_gateway_outcomes_total{class="%s",outcome="%s"}'
local refused = made 'flashsale_gateway_refusals_total{class="%s",reason="%s"}'
local decision = made 'flashsale_gateway_decisions_total{layer="gateway",outcome="refused",reason="%s",sale="%s"}'

local arrived = made 'flashsale_gateway_requests_total{class="%s"}'

function _M.arrived(class)
    arrived(class, "")
end

-- outcome: answered (by the gateway itself) or passed (to the application).
function _M.ended(class, what)
    outcome(class, what)
    if class == "order" then
        count 'flashsale_gateway_decisions_total{layer="gateway",outcome="passed",reason="",sale=""}'
    end
end

function _M.refused(class, reason, sale)
    outcome(class, "refused")
    refused(class, reason)
    if class == "order" then
        decision(reason, sale or "")
    end
end

-- One request to the application for all who wait for a document.
function _M.fetched(class)
    count('flashsale_gateway_fetches_total{class="' .. class .. '"}')
end

-- Passed on, and no instance answered.
function _M.failed(code)
    count('flashsale_gateway_failures_total{code="' .. code .. '"}')
end

function _M.poll(result)
    count('flashsale_gateway_state_polls_total{result="' .. result .. '"}')
end

local METRICS = {
    { "decisions", "Requests to order that were refused here, or passed on" },
    { "failures", "Requests that were passed on, and no instance answered" },
    { "fetches", "Documents and pages that were asked of the application, once for all who wait" },
    { "outcomes", "Requests by what became of them: refused, answered or passed on" },
    { "refusals", "Requests that were refused, by the reason" },
    { "requests", "Requests that arrived" },
    { "state_polls", "Questions for the state of the sales, by what came back" },
}

function _M.show()
    local clock = require "clock"
    _M.add_up()
    local lines = {}
    local names = counters:get_keys(0)
    table.sort(names)
    for _, metric in ipairs(METRICS) do
        local prefix = "flashsale_gateway_" .. metric[1] .. "_total"
        lines[#lines + 1] = "# HELP " .. prefix .. " " .. metric[2]
        lines[#lines + 1] = "# TYPE " .. prefix .. " counter"
        for _, name in ipairs(names) do
            if name:sub(1, #prefix) == prefix then
                lines[#lines + 1] = name .. " " .. counters:get(name)
            end
        end
    end

    local asked = ngx.shared.state:get "asked"
    lines[#lines + 1] = "# HELP flashsale_gateway_state_age_seconds How old what the gateway knows of the sales is; +Inf before it has heard anything"
    lines[#lines + 1] = "# TYPE flashsale_gateway_state_age_seconds gauge"
    lines[#lines + 1] = "flashsale_gateway_state_age_seconds " .. (asked and string.format("%.3f", (clock.monotonic() - asked) / 1000) or "+Inf")
    ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    ngx.header["Cache-Control"] = "no-store"
    ngx.say(table.concat(lines, "\n"))
end

return _M
