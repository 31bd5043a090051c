-- The static files of the pages. See files.md.
local counters = require "counters"
local hmac = require "hmac"
local site = require "site"

local TYPES = { ["site.css"] = "text/css", ["site.js"] = "text/javascript", ["icon.svg"] = "image/svg+xml" }
local files = {}

local _M = {}

function _M.load(folder)
    for name, kind in pairs(TYPES) do
        local content = site.read_file(folder .. "/" .. name)
        if content then
            local hash = hmac.sha256(content):sub(1, 6):gsub(".", function(c) return string.format("%02x", c:byte()) end)
            files["/" .. name] = { content = content, kind = kind, hash = hash, tag = '"' .. hash .. '"' }
        end
    end
end

function _M.serve()
    local file = files[ngx.var.uri]
    local asked = ngx.var.arg_v
    -- Another hash is another version of the file, which the application may have: it would be kept for a year under that address.
    if not file or asked and asked ~= file.hash or ngx.req.get_method() ~= "GET" then
        counters.ended("file", "passed")
        return ngx.exec "@storefront"
    end

    counters.ended("file", "answered")
    local header = ngx.header
    header["Cache-Control"] = asked and "public, max-age=31536000, immutable" or "public, max-age=60"
    header["ETag"] = file.tag
    header["Vary"] = "Accept-Encoding"
    header["X-Content-Type-Options"] = "nosniff"
    if ngx.var.http_if_none_match == file.tag then
        ngx.status = ngx.HTTP_NOT_MODIFIED
        return ngx.send_headers()
    end

    header["Content-Type"] = file.kind
    header["Content-Length"] = #file.content
    ngx.print(file.content)
end

return _M
