using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Http;

/// <summary>
/// An answer that is the same for everybody, whoever asks: its bytes in three codings and its headers, made once. To send it looks at nothing but what the request says that it takes.
/// </summary>
public sealed class StoredAnswer
{
    // A page of 20 KB takes a millisecond. At 9 it takes fifty times as long and is not smaller; at 11 a hundred times as long, for a tenth of its bytes, and all pages are packed before a change is seen.
    private const int BrotliQuality = 5;
    private const int BrotliWindow = 18;

    private static readonly StringValues AcceptEncoding = "Accept-Encoding";
    private static readonly StringValues NoSniff = "nosniff";
    private static readonly StringValues BrotliCoding = "br";
    private static readonly StringValues GzipCoding = "gzip";

    private readonly string tag;
    private readonly StringValues etag;
    private readonly StringValues contentType;
    private readonly StringValues caching;
    private readonly StringValues policy;
    private readonly StringValues referrers;

    /// <param name="content">Not to be changed from here on.</param>
    /// <param name="policy">The content security policy of a page; null for what is none.</param>
    public StoredAnswer(byte[] content, string contentType, string caching, string? policy)
    {
        tag = TagOf(content, policy);
        (etag, this.contentType, this.caching, this.policy) = (tag, contentType, caching, policy);
        referrers = policy is null ? default : (StringValues)PageReferrers;
        Content = content;
        Gzip = Smaller(content, MakeGzip(content));
        Brotli = Smaller(content, MakeBrotli(content));
    }

    /// <summary>Of every page. Not no-referrer: with that a browser would send <c>Origin: null</c> with our own forms.</summary>
    public const string PageReferrers = "same-origin";

    public byte[] Content { get; }

    /// <summary>Null where it is not smaller; so is <see cref="Brotli"/>.</summary>
    public byte[]? Gzip { get; }

    public byte[]? Brotli { get; }

    /// <summary>To GET and HEAD.</summary>
    public Task SendAsync(HttpContext context)
    {
        var request = context.Request.Headers;
        var response = context.Response;
        var headers = response.Headers;
        headers.ETag = etag;
        headers.CacheControl = caching;
        headers.Vary = AcceptEncoding;
        if (request.IfNoneMatch is { Count: > 0 } asked && Conditions.Match(asked, tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var body = Content;
        var accepts = request.AcceptEncoding;
        if (Brotli is not null && Conditions.Takes(accepts, "br"))
        {
            (body, headers.ContentEncoding) = (Brotli, BrotliCoding);
        }
        else if (Gzip is not null && Conditions.Takes(accepts, "gzip"))
        {
            (body, headers.ContentEncoding) = (Gzip, GzipCoding);
        }

        headers.ContentType = contentType;
        headers.XContentTypeOptions = NoSniff;
        if (policy.Count > 0)
        {
            headers.ContentSecurityPolicy = policy;
            headers["Referrer-Policy"] = referrers;
        }

        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }

    /// <summary>Weak, as the same for every coding. A browser that is told 304 keeps the policy that it has, so that this is a part of it.</summary>
    private static string TagOf(byte[] content, string? policy)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(content);
        hash.AppendData(Encoding.UTF8.GetBytes(policy ?? ""));
        return "W/\"" + Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8)) + "\"";
    }

    private static byte[]? Smaller(byte[] content, byte[] packed) => packed.Length < content.Length ? packed : null;

    private static byte[] MakeGzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            stream.Write(content);
        }

        return packed.ToArray();
    }

    private static byte[] MakeBrotli(byte[] content)
    {
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(content.Length)];
        return BrotliEncoder.TryCompress(content, packed, out var written, BrotliQuality, BrotliWindow) ? packed[..written] : content;
    }
}

/// <summary>What the edge answers from memory, by address. All of it is replaced at once, so that what refers to one another is of one making.</summary>
public sealed class StoredAnswers
{
    private volatile FrozenDictionary<string, StoredAnswer> byPath = FrozenDictionary<string, StoredAnswer>.Empty;

    public void Replace(IReadOnlyDictionary<string, StoredAnswer> all) => byPath = all.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Null also for methods other than GET and HEAD. The query is not looked at: nothing here depends on it.</summary>
    public StoredAnswer? Find(HttpRequest request) =>
        request.Path.Value is { } path && byPath.TryGetValue(path, out var answer) && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            ? answer
            : null;
}
