using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;

using FlashSale.Core.Wire;

using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Http;

/// <summary>A feature of requests that a browser made for a page: writes the problem as a page. Status and headers are set already.</summary>
public delegate Task HtmlProblem(HttpContext context, ProblemCode code);

/// <summary>
/// Writes problem documents. Nearly every request of a sale ends in one, so they come from bytes that were made once, with the trace id put in. Those that ask the
/// caller to come back say when in a few variants, so that a crowd does not come back as one.
/// </summary>
public static class ProblemWriter
{
    private static readonly StringValues ContentType = "application/problem+json";
    private static readonly StringValues NoStore = "no-store";
    private static readonly StringValues Bearer = "Bearer";
    private static readonly Template[][] ByCode = [.. Problems.All.OrderBy(kind => kind.Id).Select(MakeVariants)];

    /// <summary>A caller is asked to wait this long, for problems that pass: drawn anew each time.</summary>
    private const int RetryAfterMinMs = 1_000;
    private const int RetryAfterMaxMs = 2_000;
    private const int Variants = 16;

    /// <summary>Nobody is sent away for longer; a limit that is exceeded by more will say so again.</summary>
    private const int WaitMaxSeconds = 60;
    private static readonly ConcurrentDictionary<(ProblemCode Code, int Seconds), Template> Waits = new();

    /// <summary>Of one opening, and the moment it was written: made once in <see cref="NotOpenLifetime"/>, for all who come too early.</summary>
    private static readonly TimeSpan NotOpenLifetime = TimeSpan.FromMilliseconds(5);
    private static NotOpen? lastNotOpen;

    public static Task WriteProblemAsync(this HttpContext context, ProblemCode code)
    {
        var variants = ByCode[(int)code];
        return WriteAsync(context, Problems.Of(code), variants.Length == 1 ? variants[0] : variants[Random.Shared.Next(variants.Length)]);
    }

    /// <summary>For a problem that passes, when it is known that to come back before <paramref name="wait"/> is of no use; in whole seconds, and up to one more.</summary>
    public static Task WriteProblemAsync(this HttpContext context, ProblemCode code, TimeSpan wait)
    {
        var seconds = (int)Math.Min(WaitMaxSeconds, Math.Ceiling(wait.TotalSeconds) + Random.Shared.Next(2));
        return WriteAsync(context, Problems.Of(code), Waits.GetOrAdd((code, seconds), static key => new Template(Problems.Of(key.Code), new ProblemDetail(), key.Seconds * 1_000L)));
    }

    public static Task WriteProblemAsync(this HttpContext context, ProblemCode code, ProblemDetail detail)
    {
        var kind = Problems.Of(code);
        var retryAfterMs = detail.RetryAfterMs ?? (IsRetryable(kind) ? Random.Shared.Next(RetryAfterMinMs, RetryAfterMaxMs) : null);
        return WriteAsync(context, kind, new Template(kind, detail, retryAfterMs));
    }

    /// <summary>409 <c>sale-not-open</c>, with the opening and the server's time, a few milliseconds old at most.</summary>
    public static Task WriteNotOpenAsync(this HttpContext context, DateTimeOffset opensAt, DateTimeOffset serverTime)
    {
        var kind = Problems.Of(ProblemCode.SaleNotOpen);
        var made = Volatile.Read(ref lastNotOpen);
        if (made is null || made.OpensAt != opensAt || serverTime - made.ServerTime >= NotOpenLifetime || serverTime < made.ServerTime)
        {
            made = new NotOpen(opensAt, serverTime, new Template(kind, new ProblemDetail { OpensAt = opensAt, ServerTime = serverTime }, null));
            Volatile.Write(ref lastNotOpen, made);
        }

        return WriteAsync(context, kind, made.Template);
    }

    private static bool IsRetryable(ProblemKind kind) => kind.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable;

    private static Template[] MakeVariants(ProblemKind kind) =>
        IsRetryable(kind)
            ? [.. Enumerable.Range(0, Variants).Select(i => new Template(kind, new ProblemDetail(), RetryAfterMinMs + i * (RetryAfterMaxMs - RetryAfterMinMs) / Variants))]
            : [new Template(kind, new ProblemDetail(), null)];

    private static Task WriteAsync(HttpContext context, ProblemKind kind, Template template)
    {
        var response = context.Response;
        response.StatusCode = kind.Status;
        response.Headers.ContentType = ContentType;
        response.Headers.CacheControl = NoStore;
        if (kind.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = Bearer;
        }

        if (template.RetryAfter is { } retryAfter)
        {
            response.Headers.RetryAfter = retryAfter;
        }

        if (context.Features.Get<HtmlProblem>() is { } page)
        {
            return page(context, kind.Id);
        }

        var traceId = context.TraceIdChars();
        var (head, tail) = (template.Head, template.Tail);
        var length = head.Length + traceId.Length + tail.Length;
        response.ContentLength = length;
        var span = response.BodyWriter.GetSpan(length);
        head.CopyTo(span);
        Encoding.ASCII.GetBytes(traceId, span[head.Length..]);
        tail.CopyTo(span[(head.Length + traceId.Length)..]);
        response.BodyWriter.Advance(length);
        return Task.CompletedTask;
    }

    private sealed record NotOpen(DateTimeOffset OpensAt, DateTimeOffset ServerTime, Template Template);

    /// <summary>A document without its trace id, cut where that belongs.</summary>
    private sealed class Template
    {
        private static ReadOnlySpan<byte> Cut => "\"traceId\":\""u8;

        public Template(ProblemKind kind, ProblemDetail detail, long? retryAfterMs)
        {
            var document = new ProblemDocument(
                kind.Type, kind.Title, kind.Status, kind.Code, kind.Effect, "", detail.Detail, detail.OpensAt, detail.ServerTime, retryAfterMs, detail.Errors, detail.Challenge);
            var bytes = JsonSerializer.SerializeToUtf8Bytes(document, WireJson.Default.ProblemDocument);
            // What stands before it is ours: the words of the caller come behind.
            var at = bytes.AsSpan().IndexOf(Cut) + Cut.Length;
            Head = bytes[..at];
            Tail = bytes[at..];
            RetryAfter = retryAfterMs is { } ms ? (StringValues?)((ms + 999) / 1_000).ToString(CultureInfo.InvariantCulture) : null;
        }

        public byte[] Head { get; }

        public byte[] Tail { get; }

        public StringValues? RetryAfter { get; }
    }
}

/// <summary>The parts of a problem that depend on the request.</summary>
public sealed record ProblemDetail
{
    public string? Detail { get; init; }
    public DateTimeOffset? OpensAt { get; init; }
    public DateTimeOffset? ServerTime { get; init; }
    public long? RetryAfterMs { get; init; }
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }
    public ChallengeDocument? Challenge { get; init; }
}
