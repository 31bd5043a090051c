-- The gates, outermost first. See gates.md.
local clock = require "clock"
local counters = require "counters"
local problems = require "problems"

-- Each has check(request): a refusal, or nil. Cheaper ones first; a later one may use what an earlier one found.
local GATES = { require "gate_address", require "gate_user", require "gate_blacklist", require "gate_token", require "gate_sale" }

-- Answered by the gateway, if it can: they say themselves what became of the request.
local OWN = { time = true, file = true, document = true, page = true }

-- What an API call may take in all (Limits.OrderDeadline).
local BUDGET = 2000

local _M = {}

local function pass_on(request)
    if OWN[request.class] then
        return
    end

    counters.ended(request.class, "passed")
    if request.method == "POST" and ngx.var.uri:find "^/api/" then
        -- A slow body has used up some of it.
        ngx.req.read_body()
        ngx.var.deadline_ms = math.max(0, math.floor(BUDGET - (ngx.now() - ngx.req.start_time()) * 1000))
    end
end

function _M.enter(class)
    counters.arrived(class)
    local monotonic = clock.monotonic()
    local request = { class = class, method = ngx.req.get_method(), monotonic = monotonic, now = clock.application(monotonic) }
    for i = 1, #GATES do
        local refusal = GATES[i].check(request)
        if refusal then
            return problems.refuse(request, refusal)
        end
    end

    pass_on(request)
end

return _M
