-- Refusals as the application spells them. See problems.md.
local busy = require "busy"
local counters = require "counters"

-- src/Core/Wire/Problem.cs has the whole list; a test compares these with it.
local KINDS = {
    ["malformed-request"] = { 400, "The request cannot be read" },
    ["not-found"] = { 404, "There is nothing here" },
    ["method-not-allowed"] = { 405, "This method is not allowed here" },
    ["body-too-large"] = { 413, "The request is too large" },
    ["order-token-rejected"] = { 403, "The order token was not accepted" },
    ["not-eligible"] = { 403, "You cannot take part in this sale" },
    ["sale-not-open"] = { 409, "The sale is not open yet" },
    ["sale-ended"] = { 410, "The sale is over" },
    ["sale-paused"] = { 503, "The sale is paused" },
    ["sold-out"] = { 409, "Sold out" },
    ["rate-limited"] = { 429, "Too many requests" },
    ["overloaded"] = { 503, "Too many people at this moment" },
    ["outcome-unknown"] = { 503, "The outcome is not known yet", "unknown" },
}

local format, random, ceil = string.format, math.random, math.ceil

-- Milliseconds that a caller is asked to wait at least: drawn anew each time, so that a crowd does not come back as one.
local RETRY_MIN, RETRY_MAX = 1000, 1999

local function make(code, status)
    local kind = KINDS[code]
    status = status or kind[1]
    return {
        code = code,
        status = status,
        waits = status == 429 or status == 503,
        head = format(
            '{"type":"/problems/%s","title":"%s","status":%d,"code":"%s","effect":"%s","traceId":"', code, kind[2], status, code, kind[3] or "none"),
    }
end

local prebuilt = {}
for code in pairs(KINDS) do
    prebuilt[code] = make(code)
end

local _M = {}

-- A browser that asks for a page gets a page (src/Server/Storefront/ProblemPages.cs draws the same line).
local function for_browser()
    local accept = ngx.var.http_accept
    if not accept or not accept:lower():find("text/html", 1, true) then
        return false
    end

    local path = ngx.var.request_uri or "/api"
    return not path:find "^/api[/?]" and not path:find "^/healthz/" and not path:find "^/metrics" and not path:find "^/openapi/"
end

-- Connection and request of this process, as the error log names them.
local function trace_id()
    return format("gateway-%s-%s", ngx.var.connection, ngx.var.connection_requests)
end

-- detail: opens_at, server_time (texts), retry_after_ms, all optional.
local function send(problem, detail)
    local header = ngx.header
    ngx.status = problem.status
    header["Cache-Control"] = "no-store"
    local retry
    if problem.waits then
        retry = random(RETRY_MIN, RETRY_MAX)
        if detail and detail.retry_after_ms and detail.retry_after_ms > retry then
            retry = ceil(detail.retry_after_ms)
        end

        header["Retry-After"] = ceil(retry / 1000)
        if for_browser() then
            return busy.send()
        end
    end

    local tail = '"}'
    if detail and detail.opens_at then
        tail = format('","opensAt":"%s","serverTime":"%s"}', detail.opens_at, detail.server_time)
    elseif retry then
        tail = format('","retryAfterMs":%d}', retry)
    end

    local trace = trace_id()
    header["Content-Type"] = "application/problem+json"
    header["Content-Length"] = #problem.head + #trace + #tail
    ngx.print(problem.head, trace, tail)
end

-- Ends the request in the access phase. refusal: code, reason, sale and what send takes.
function _M.refuse(request, refusal)
    counters.refused(request.class, refusal.reason, refusal.sale)
    send(prebuilt[refusal.code], refusal)
    return ngx.exit(ngx.HTTP_OK)
end

-- The answer when neither a document nor a cached one can be had.
function _M.overloaded()
    counters.failed "overloaded"
    send(prebuilt.overloaded)
end

local from_nginx = {}

-- What nginx refused before any gate was asked: /-/problem/<code>/<status>.
function _M.from_nginx()
    local code, status = ngx.var.uri:match "^/%-/problem/([%a-]+)/(%d+)$"
    local name = code .. status
    from_nginx[name] = from_nginx[name] or make(code, tonumber(status))
    counters.arrived "invalid"
    counters.refused("invalid", code)
    send(from_nginx[name])
end

-- No instance answered. Whether one has the request: nginx counts the bytes that it sent to each.
function _M.from_upstream()
    local code = "overloaded"
    -- The request as it came: on its way to this location nginx has made a GET of it.
    local method = (ngx.var.request or ""):match "^%a+"
    if method ~= "GET" and method ~= "HEAD" and (ngx.var.upstream_bytes_sent or ""):find "[1-9]" then
        code = "outcome-unknown"
    end

    counters.failed(code)
    send(prebuilt[code])
end

return _M
