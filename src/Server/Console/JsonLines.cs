using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FlashSale.Server.Console;

/// <summary>Exports: one JSON document a line.</summary>
public static class JsonLines
{
    public const string MediaType = "application/x-ndjson";

    /// <summary>How much of an export is gathered before it is sent.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>A failure midway breaks the connection off, so that a cut export never looks like a whole one.</summary>
    public static async Task WriteLinesAsync<T>(this HttpContext context, IAsyncEnumerable<T> lines, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = MediaType;
        context.Response.Headers.CacheControl = "no-store";
        var body = context.Response.BodyWriter;
        using var json = new Utf8JsonWriter(body);
        await foreach (var line in lines)
        {
            JsonSerializer.Serialize(json, line, type);
            json.Flush();
            json.Reset();
            body.GetSpan(1)[0] = (byte)'\n';
            body.Advance(1);
            if (body.UnflushedBytes >= FlushBytes)
            {
                await body.FlushAsync(context.RequestAborted);
            }
        }

        await body.FlushAsync(context.RequestAborted);
    }
}
