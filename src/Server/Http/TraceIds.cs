using System.Buffers;
using System.Diagnostics;

namespace FlashSale.Server.Http;

/// <summary>
/// The id that a request is known by in problems, log and audit: the trace id that its sender gave it (W3C Trace Context, <c>traceparent</c>), or the one that it is traced by
/// here, or the connection's own.
/// </summary>
public static class TraceIds
{
    private const int TraceIdAt = 3;
    private const int TraceIdLength = 32;
    private const int ParentLength = 55;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    public static string TraceId(this HttpContext context) => Sent(context) is { } sent ? sent.Substring(TraceIdAt, TraceIdLength) : context.TraceIdentifier;

    /// <summary>The same without a string of its own, for answers that are made beforehand.</summary>
    public static ReadOnlySpan<char> TraceIdChars(this HttpContext context) => Sent(context) is { } sent ? sent.AsSpan(TraceIdAt, TraceIdLength) : context.TraceIdentifier;

    /// <summary>Default when the request has none, or one that is malformed.</summary>
    public static ActivityContext Parent(HttpContext context) =>
        Sent(context) is { } sent && ActivityContext.TryParse(sent, null, isRemote: true, out var parent) ? parent : default;

    private static string? Sent(HttpContext context) =>
        context.Request.Headers.TraceParent is { Count: 1 } header && header[0] is { Length: >= ParentLength } text && IsGood(text) ? text : null;

    /// <summary>Of a later version only what every version has is looked at; it may be longer.</summary>
    private static bool IsGood(string text)
    {
        var trace = text.AsSpan(TraceIdAt, TraceIdLength);
        var span = text.AsSpan(TraceIdAt + TraceIdLength + 1, 16);
        return text[2] == '-' && text[35] == '-' && text[52] == '-'
            && IsHex(text.AsSpan(0, 2)) && !text.StartsWith("ff", StringComparison.Ordinal)
            && (text.Length == ParentLength || (text[ParentLength] == '-' && !text.StartsWith("00", StringComparison.Ordinal)))
            && IsHex(trace) && trace.ContainsAnyExcept('0')
            && IsHex(span) && span.ContainsAnyExcept('0')
            && IsHex(text.AsSpan(53, 2));
    }

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);
}
