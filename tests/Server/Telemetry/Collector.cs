using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FlashSale.Tests.Server.Telemetry;

/// <summary>A span as it was received (opentelemetry/proto/trace/v1/trace.proto).</summary>
/// <param name="Links">The spans that it is linked to.</param>
public sealed record Span(string Trace, string Id, string Parent, string Name, IReadOnlyList<string> Links, string Text);

/// <summary>A collector that takes OTLP over HTTP, and a risk provider that notes by which trace it was asked.</summary>
public sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication app;

    private Collector(WebApplication app) => this.app = app;

    public ConcurrentQueue<Span> Spans { get; } = new();

    /// <summary>The bodies, as they came.</summary>
    public ConcurrentQueue<string> Metrics { get; } = new();

    /// <summary>Headers <c>traceparent</c> of the calls to the provider.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public string Url { get; private set; } = "";

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new Collector(builder.Build());
        var receiver = collector.app;
        receiver.MapPost("/v1/metrics", async (HttpContext context) => collector.Metrics.Enqueue(Encoding.Latin1.GetString(await ReadAsync(context))));
        receiver.MapPost("/v1/traces", async (HttpContext context) => collector.Take(await ReadAsync(context)));
        receiver.MapGet("/risk/credit/{user}", (HttpContext context) =>
        {
            collector.Asked.Enqueue(context.Request.Headers.TraceParent.ToString());
            return Results.Json(new { risk = 10 });
        });
        await receiver.StartAsync();
        collector.Url = receiver.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return collector;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        var encoded = context.Request.Headers.ContentEncoding == "gzip";
        await (encoded ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body).CopyToAsync(body, context.RequestAborted);
        return body.ToArray();
    }

    private void Take(byte[] request)
    {
        foreach (var resource in Messages(request, 1))
        {
            foreach (var span in Messages(resource, 2).SelectMany(scope => Messages(scope, 2)))
            {
                Spans.Enqueue(new Span(
                    Hex(span, 1), Hex(span, 2), Hex(span, 4), Encoding.UTF8.GetString(Messages(span, 5).Single()),
                    [.. Messages(span, 13).Select(link => Hex(link, 2))],
                    Encoding.UTF8.GetString(span)));
            }
        }
    }

    private static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Messages(message, field).FirstOrDefault() ?? []);

    /// <summary>The fields of a message with this number that have a length (protobuf.dev/programming-guides/encoding).</summary>
    private static List<byte[]> Messages(byte[] message, int field)
    {
        List<byte[]> found = [];
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            switch (tag & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    var length = (int)Varint(message, ref at);
                    if ((int)(tag >> 3) == field)
                    {
                        found.Add(message[at..(at + length)]);
                    }

                    at += length;
                    break;
            }
        }

        return found;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0ul;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
