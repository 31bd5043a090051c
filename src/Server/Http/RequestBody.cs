using System.Buffers;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Http;

/// <summary>Reads bodies within their limit; a body that is not what the call takes is a problem document.</summary>
public static class RequestBody
{
    /// <summary>
    /// The body as one JSON object, or null after the problem was written: 415 for another media type, 413 beyond <paramref name="maxBytes"/>, 400 for
    /// what is not a JSON object in UTF-8. The caller disposes it.
    /// </summary>
    public static async Task<JsonDocument?> ReadJsonAsync(this HttpContext context, int maxBytes)
    {
        if (!IsJson(context.Request))
        {
            await context.WriteProblemAsync(ProblemCode.UnsupportedMediaType);
            return null;
        }

        var bytes = await context.ReadBytesAsync(maxBytes);
        if (bytes is null)
        {
            return null;
        }

        try
        {
            var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = Limits.JsonDepth });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
        }
        catch (JsonException)
        {
            // Answered below, like every other body that is not an object.
        }

        await context.WriteProblemAsync(ProblemCode.MalformedRequest);
        return null;
    }

    /// <summary>The bytes of the body, or null after 413 was written.</summary>
    public static async Task<byte[]?> ReadBytesAsync(this HttpContext context, int maxBytes)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > maxBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                await context.WriteProblemAsync(ProblemCode.BodyTooLarge);
                return null;
            }

            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary><c>application/json</c>, with parameters or without.</summary>
    public static bool IsJson(HttpRequest request)
    {
        const string Json = "application/json";
        var type = request.ContentType;
        return type is not null
            && type.StartsWith(Json, StringComparison.OrdinalIgnoreCase)
            && (type.Length == Json.Length || type[Json.Length] is ';' or ' ');
    }
}
