-- Sale documents, published pages and their files: fetched once for all. See documents.md.
local cjson = require "cjson.safe"
local clock = require "clock"
local counters = require "counters"
local lrucache = require "resty.lrucache"
local problems = require "problems"

local documents = ngx.shared.documents

-- Of this worker: what it has unpacked.
local unpacked = lrucache.new(512)

-- Milliseconds. fresh: no longer than the answer's own max-age. stale: for how long after it an old one is given to others while one fetches it anew.
-- on_error: for how long after it, when that fails. "Sold out" must be true within two seconds (I9): the state is never stale. A page knows nothing of stock, and a file has
-- its content in its name.
local HOUR = 3600 * 1000
local RULES = {
    state = { fresh = 500, stale = 0, on_error = 0, encodings = { "gzip" } },
    document = { fresh = 1000, stale = 2000, on_error = 10000, encodings = { "gzip" } },
    page = { fresh = 500, stale = 2000, on_error = HOUR, encodings = { "br", "gzip" } },
    file = { fresh = 24 * HOUR, stale = 24 * HOUR, on_error = 24 * HOUR, encodings = { "br", "gzip" } },
    icon = { fresh = 60 * 1000, stale = HOUR, on_error = HOUR, encodings = { "gzip" } },
}

-- How long a request waits for the one that fetches (seconds), and how long that one is believed to be alive.
local WAIT, LOCK = 2, 2.5
local LARGEST = 512 * 1024

local HEADERS = {
    "Cache-Control", "Content-Encoding", "Content-Language", "Content-Security-Policy", "Content-Type", "ETag", "Referrer-Policy", "Vary",
    "X-Content-Type-Options",
}

local _M = {}

local function rule_of(class, uri)
    if class == "document" then
        return uri:find "/state$" and RULES.state or RULES.document
    end

    return uri == "/icon.svg" and RULES.icon or RULES[class]
end

-- The best that the rule has and the visitor takes. Named without a weight, as every browser does; whoever weighs it gets the plain bytes, which are never wrong.
local function encoding_of(rule)
    local accept = ngx.var.http_accept_encoding
    if accept then
        accept = "," .. accept:lower():gsub("%s", "") .. ","
        for _, encoding in ipairs(rule.encodings) do
            if accept:find("," .. encoding .. ",", 1, true) then
                return encoding
            end
        end
    end

    return "plain"
end

local function pack(entry)
    local body = entry.body
    entry.body = nil
    local head = cjson.encode(entry)
    entry.body = body
    return head .. "\n" .. body
end

local function find(key)
    local entry = unpacked:get(key)
    local text
    if not entry or clock.monotonic() >= entry.fresh_until then
        text = documents:get(key)
        if text then
            local head, body = text:match "^([^\n]*)\n(.*)$"
            entry = cjson.decode(head)
            entry.body = body
            unpacked:set(key, entry)
        end
    end

    return entry
end

-- How long an answer may be kept; 0: not at all.
local function lifetime(answer, rule)
    local header = answer.header
    if answer.status ~= 200 or answer.truncated or header["Set-Cookie"] or #answer.body > LARGEST then
        return 0
    end

    local control = header["Cache-Control"] or ""
    if control:find "no%-store" or control:find "private" or control:find "no%-cache" then
        return 0
    end

    return math.min(rule.fresh, 1000 * (tonumber(control:match "max%-age=(%d+)") or 0))
end

local function fetch(key, uri, encoding, rule)
    local asked = clock.monotonic()
    local answer = ngx.location.capture("/-/" .. encoding .. uri)
    local keep = lifetime(answer, rule)
    local entry = { asked = asked, fresh_until = asked + keep, status = answer.status, headers = {}, body = answer.body }
    for _, name in ipairs(HEADERS) do
        entry.headers[name] = answer.header[name]
    end

    entry.retry_after = answer.header["Retry-After"]
    if keep > 0 then
        documents:set(key, pack(entry), (keep + rule.stale + rule.on_error) / 1000)
    end

    return entry
end

local function matches(tag)
    local asked = ngx.var.http_if_none_match
    if not asked or not tag then
        return false
    end

    tag = tag:gsub("^W/", "")
    for candidate in asked:gmatch "[^,]+" do
        candidate = candidate:match "^%s*(.-)%s*$"
        if candidate == "*" or candidate:gsub("^W/", "") == tag then
            return true
        end
    end

    return false
end

local function send(entry)
    local header = ngx.header
    for name, value in pairs(entry.headers) do
        header[name] = value
    end

    if entry.status == 200 and matches(entry.headers.ETag) then
        header["Content-Type"] = nil
        header["Content-Encoding"] = nil
        ngx.status = ngx.HTTP_NOT_MODIFIED
        return ngx.send_headers()
    end

    -- What a cache behind us keeps, it keeps from when the application wrote it.
    header["Age"] = math.floor((clock.monotonic() - entry.asked) / 1000)
    header["Retry-After"] = entry.retry_after
    header["Content-Length"] = #entry.body
    ngx.status = entry.status
    ngx.print(entry.body)
end

-- The one that fetches for all. An old entry is better than an error, for a while.
local function refresh(key, uri, encoding, rule, old, class)
    counters.fetched(class)
    local entry = fetch(key, uri, encoding, rule)
    documents:delete("lock:" .. key)
    if entry.status >= 500 and old and clock.monotonic() < old.fresh_until + rule.on_error then
        return send(old)
    end

    -- nginx's own word for "nobody answered", which the application does not use.
    if entry.status == 502 or entry.status == 504 then
        return problems.overloaded()
    end

    return send(entry)
end

-- While another request fetches it.
local function wait(key, rule, old)
    local pause, waited = 0.002, 0
    while waited < WAIT do
        ngx.sleep(pause)
        waited = waited + pause
        pause = math.min(2 * pause, 0.1)
        local entry = find(key)
        if entry and clock.monotonic() < entry.fresh_until then
            return send(entry)
        end

        if not documents:get("lock:" .. key) then
            break
        end
    end

    if old and clock.monotonic() < old.fresh_until + rule.on_error then
        return send(old)
    end

    return problems.overloaded()
end

function _M.serve()
    local uri = ngx.var.uri
    local class = uri:find "^/api/" and "document" or (uri:find "^/assets/" or uri == "/icon.svg") and "file" or "page"
    if ngx.req.get_method() ~= "GET" then
        counters.ended(class, "passed")
        return ngx.exec "@storefront"
    end

    counters.ended(class, "answered")
    local rule = rule_of(class, uri)
    local encoding = encoding_of(rule)
    local key = encoding .. ":" .. uri
    local now = clock.monotonic()
    local entry = find(key)
    if entry and now < entry.fresh_until then
        return send(entry)
    end

    if documents:add("lock:" .. key, true, LOCK) then
        return refresh(key, uri, encoding, rule, entry, class)
    end

    if entry and now < entry.fresh_until + rule.stale then
        return send(entry)
    end

    return wait(key, rule, entry)
end

return _M
