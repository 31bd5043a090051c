-- HMAC-SHA256 (RFC 2104) on OpenSSL. See hmac.md.
local bit = require "bit"
local ffi = require "ffi"

-- SHA256_CTX has had this layout since OpenSSL 0.9.8, and has it in BoringSSL and LibreSSL.
ffi.cdef [[
    typedef struct { uint32_t h[8]; uint32_t low, high; uint32_t data[16]; unsigned int length, digest_length; } gateway_sha256;
    int SHA256_Init(void *context);
    int SHA256_Update(void *context, const void *data, size_t length);
    int SHA256_Final(unsigned char *digest, void *context);
]]

local C = ffi.C
local SIZE = ffi.sizeof "gateway_sha256"
local work = ffi.new "gateway_sha256"
local digest = ffi.new "unsigned char[32]"
local bor, bxor, byte = bit.bor, bit.bxor, string.byte

local _M = {}

function _M.sha256(text)
    C.SHA256_Init(work)
    C.SHA256_Update(work, text, #text)
    C.SHA256_Final(digest, work)
    return ffi.string(digest, 32)
end

local function begun(key, pad)
    local context = ffi.new "gateway_sha256"
    local block = key .. string.rep("\0", 64 - #key)
    block = block:gsub(".", function(c) return string.char(bxor(byte(c), pad)) end)
    C.SHA256_Init(context)
    C.SHA256_Update(context, block, 64)
    return context
end

-- A key of which the first block of either hash is done already: what remains is half of the work for a short text.
function _M.key(secret)
    if #secret > 64 then
        secret = _M.sha256(secret)
    end

    return { inner = begun(secret, 0x36), outer = begun(secret, 0x5c) }
end

local function sign(key, text, length)
    ffi.copy(work, key.inner, SIZE)
    C.SHA256_Update(work, text, length)
    C.SHA256_Final(digest, work)
    ffi.copy(work, key.outer, SIZE)
    C.SHA256_Update(work, digest, 32)
    C.SHA256_Final(digest, work)
end

function _M.sign(key, text)
    sign(key, text, #text)
    return ffi.string(digest, 32)
end

-- Whether the 32 bytes of signature are those of the first bytes of text. Takes as long for any wrong one.
function _M.verify(key, text, length, signature)
    sign(key, text, length)
    local different = 0
    for i = 1, 32 do
        different = bor(different, bxor(digest[i - 1], byte(signature, i)))
    end

    return different == 0
end

return _M
