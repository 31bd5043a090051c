using System.Text;
using System.Text.Json;

using FlashSale.Core.Wire;

using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Http;

/// <summary>A feature of requests that a browser made for a page: writes the problem as a page. Status and headers are set already.</summary>
public delegate Task HtmlProblem(HttpContext context, ProblemCode code);

/// <summary>Writes problem documents. Those without variable parts come from bytes made once: nearly every request of a sale ends in one.</summary>
public static class ProblemWriter
{
    private static readonly StringValues ContentType = "application/problem+json";
    private static readonly StringValues NoStore = "no-store";
    private static readonly byte[] Tail = "\"}"u8.ToArray();
    private static readonly Prebuilt[] ByCode = [.. Problems.All.OrderBy(kind => kind.Id).Select(kind => new Prebuilt(kind))];

    /// <summary>Seconds that a caller is asked to wait, for problems that pass: 1 to 2, drawn anew each time so that a crowd does not come back as one.</summary>
    private const int RetryAfterMinMs = 1_000;
    private const int RetryAfterMaxMs = 2_000;

    public static Task WriteProblemAsync(this HttpContext context, ProblemCode code)
    {
        var prebuilt = ByCode[(int)code];
        if (prebuilt.Retryable)
        {
            return WriteProblemAsync(context, code, new ProblemDetail());
        }

        var response = context.Response;
        StartResponse(response, prebuilt.Kind);
        if (context.Features.Get<HtmlProblem>() is { } page)
        {
            return page(context, code);
        }

        var traceId = context.TraceIdentifier;
        var length = prebuilt.Head.Length + traceId.Length + Tail.Length;
        response.ContentLength = length;
        var span = response.BodyWriter.GetSpan(length);
        prebuilt.Head.CopyTo(span);
        Encoding.ASCII.GetBytes(traceId, span[prebuilt.Head.Length..]);
        Tail.CopyTo(span[(prebuilt.Head.Length + traceId.Length)..]);
        response.BodyWriter.Advance(length);
        return Task.CompletedTask;
    }

    public static Task WriteProblemAsync(this HttpContext context, ProblemCode code, ProblemDetail detail)
    {
        var prebuilt = ByCode[(int)code];
        var retryAfterMs = detail.RetryAfterMs;
        if (prebuilt.Retryable)
        {
            retryAfterMs ??= Random.Shared.Next(RetryAfterMinMs, RetryAfterMaxMs);
            context.Response.Headers.RetryAfter = ((retryAfterMs.Value + 999) / 1_000).ToString();
        }

        StartResponse(context.Response, prebuilt.Kind);
        if (context.Features.Get<HtmlProblem>() is { } page)
        {
            return page(context, code);
        }

        var document = new ProblemDocument(
            prebuilt.Kind.Type,
            prebuilt.Kind.Title,
            prebuilt.Kind.Status,
            prebuilt.Kind.Code,
            prebuilt.Kind.Effect,
            context.TraceIdentifier,
            detail.Detail,
            detail.OpensAt,
            detail.ServerTime,
            retryAfterMs,
            detail.Errors);
        var body = JsonSerializer.SerializeToUtf8Bytes(document, WireJson.Default.ProblemDocument);
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }

    private static void StartResponse(HttpResponse response, ProblemKind kind)
    {
        response.StatusCode = kind.Status;
        response.Headers.ContentType = ContentType;
        response.Headers.CacheControl = NoStore;
        if (kind.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }
    }

    private sealed class Prebuilt(ProblemKind kind)
    {
        public ProblemKind Kind { get; } = kind;

        public bool Retryable { get; } = kind.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable;

        public byte[] Head { get; } = MakeHead(kind);

        private static byte[] MakeHead(ProblemKind kind)
        {
            var document = new ProblemDocument(kind.Type, kind.Title, kind.Status, kind.Code, kind.Effect, "");
            var body = JsonSerializer.SerializeToUtf8Bytes(document, WireJson.Default.ProblemDocument);
            return body[..^Tail.Length];
        }
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
}
