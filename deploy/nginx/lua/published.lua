-- Published pages from the disk of an instance on this machine. See published.md.
local counters = require "counters"
local ffi = require "ffi"
local lrucache = require "resty.lrucache"
local site = require "site"

ffi.cdef "long readlink(const char *path, char *buf, size_t size);"
local C = ffi.C
local SIZE = 32
local buffer = ffi.new("char[?]", SIZE)

-- What a version's own _headers say of pages and of files, by its folder: a version never changes.
local known = lrucache.new(16)

local _M = {}

-- The lines below one pattern.
local function block(text, pattern)
    local headers = {}
    local lines = ("\n" .. text):match("\n" .. pattern .. "\n(.-)\n%f[/%z]") or ""
    for name, value in lines:gmatch "  ([%w-]+): ([^\n]+)" do
        headers[name] = value
    end

    return headers
end

local function headers_of(folder)
    local found = known:get(folder)
    if not found then
        local text = site.read_file(folder .. "/_headers")
        if not text then
            return nil
        end

        found = { page = block(text, "/"), file = block(text, "/assets/%*"), icon = block(text, "/icon.svg") }
        known:set(folder, found)
    end

    return found
end

-- The version that "current" leads to, once for the request: its pages and its headers belong together, also when the link is switched in between.
function _M.choose(class)
    local folder = ngx.var.published
    local length = tonumber(C.readlink(folder .. "/current", buffer, SIZE))
    local version = length > 0 and length < SIZE and ffi.string(buffer, length):match "^%d+$"
    local method = ngx.req.get_method()
    if not version or method ~= "GET" and method ~= "HEAD" or not headers_of(folder .. "/" .. version) then
        return ngx.exec "@not_published"
    end

    ngx.var.published_version = folder .. "/" .. version
end

function _M.headers(class)
    local found = (ngx.status == 200 or ngx.status == 206 or ngx.status == 304) and known:get(ngx.var.published_version)
    if found then
        counters.ended(class, "answered")
        for name, value in pairs(ngx.var.uri == "/icon.svg" and found.icon or found[class]) do
            ngx.header[name] = value
        end
    end

    ngx.header["Vary"] = "Accept-Encoding"
end

return _M
