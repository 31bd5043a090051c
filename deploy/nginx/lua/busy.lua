-- The busy page. See busy.md.
local hmac = require "hmac"
local site = require "site"

local pages = {}

local _M = {}

-- Seconds after which the browser asks again: as the application, drawn for each, so that a crowd does not come back as one.
local MIN, MAX = 3, 8

local function style_of(page)
    return "'sha256-" .. ngx.encode_base64(hmac.sha256(page:match "<style>(.-)</style>")) .. "'"
end

function _M.load(folder)
    for language, name in pairs { zh = "busy.html", en = "busy.en.html" } do
        local page = assert(site.read_file(folder .. "/" .. name), folder .. "/" .. name .. " cannot be read")
        local before, after = page:match "^(.*){n}(.*)$"
        pages[language] = {
            before = before,
            after = after,
            policy = "default-src 'none'; style-src " .. style_of(page) .. "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        }
    end
end

-- The status is set already. What was asked for with GET is asked for again by itself; a form is for its sender to send again.
function _M.send()
    local uri = ngx.var.request_uri
    local page = pages[(uri == "/en" or uri:find "^/en[/?]") and "en" or "zh"]
    local seconds = 0
    local header = ngx.header
    if (ngx.var.request or ""):find "^GET " then
        seconds = math.random(MIN, MAX)
        header["Refresh"] = seconds
    end

    header["Content-Type"] = "text/html; charset=utf-8"
    header["Content-Security-Policy"] = page.policy
    header["X-Content-Type-Options"] = "nosniff"
    header["Referrer-Policy"] = "same-origin"
    header["Content-Length"] = #page.before + 1 + #page.after
    ngx.print(page.before, seconds, page.after)
end

return _M
