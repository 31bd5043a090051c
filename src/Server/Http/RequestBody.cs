using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Unicode;

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

        return await context.ReadBytesAsync(maxBytes) is { } bytes ? await context.ParseJsonAsync(bytes) : null;
    }

    /// <summary>The same of a body that was read.</summary>
    public static async Task<JsonDocument?> ParseJsonAsync(this HttpContext context, byte[] bytes)
    {
        if (!IsJson(context.Request))
        {
            await context.WriteProblemAsync(ProblemCode.UnsupportedMediaType);
            return null;
        }

        if (Parse(bytes) is { } document)
        {
            return document;
        }

        await context.WriteProblemAsync(ProblemCode.MalformedRequest);
        return null;
    }

    /// <summary>What <paramref name="read"/> makes of the body, or null after the problem was written: all invalid fields at once.</summary>
    public static async Task<T?> ReadFieldsAsync<T>(this HttpContext context, int maxBytes, Func<FieldReader, T> read)
        where T : class
    {
        using var body = await context.ReadJsonAsync(maxBytes);
        if (body is null)
        {
            return null;
        }

        var fields = new FieldReader(body.RootElement);
        var result = read(fields);
        if (fields.IsValid)
        {
            return result;
        }

        await context.WriteInvalidFieldsAsync(fields.Errors);
        return null;
    }

    public static Task WriteInvalidFieldsAsync(this HttpContext context, IReadOnlyDictionary<string, string[]> errors) =>
        context.WriteProblemAsync(ProblemCode.InvalidFields, new ProblemDetail { Errors = errors });

    /// <summary>Null for what is not one JSON object in UTF-8 whose names and texts can all be read: the parser looks at them only when they are asked for.</summary>
    private static JsonDocument? Parse(byte[] bytes)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = Limits.JsonDepth });
            if (document.RootElement.ValueKind == JsonValueKind.Object && Utf8.IsValid(bytes))
            {
                ReadTexts(document.RootElement);
                return document;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, or half a surrogate pair: there is no object either way.
        }

        document?.Dispose();
        return null;
    }

    private static void ReadTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    ReadTexts(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    ReadTexts(property.Value);
                }

                break;
        }
    }

    /// <summary>What has come of the body so far, without waiting; nothing, perhaps.</summary>
    public static ReadResult TakeBody(this HttpContext context)
    {
        try
        {
            var reader = context.Request.BodyReader;
            if (!reader.TryRead(out var read))
            {
                return default;
            }

            if (read.Buffer.IsEmpty && !read.IsCompleted)
            {
                // Whoever reads must say how far.
                reader.AdvanceTo(read.Buffer.Start);
                return default;
            }

            return read;
        }
        catch (IOException exception) when (exception is not BadHttpRequestException)
        {
            throw Unreadable(exception);
        }
    }

    /// <summary>More of the body. What a client sends wrongly, or breaks off, is the client's fault, whichever way the server notices.</summary>
    public static async ValueTask<ReadResult> ReadBodyAsync(this HttpContext context)
    {
        try
        {
            return await context.Request.BodyReader.ReadAsync(context.RequestAborted);
        }
        catch (IOException exception) when (exception is not BadHttpRequestException)
        {
            throw Unreadable(exception);
        }
    }

    private static BadHttpRequestException Unreadable(IOException exception) =>
        new("The body cannot be read.", StatusCodes.Status400BadRequest, exception);

    /// <summary>The bytes of the body, or null after 413 was written.</summary>
    public static async Task<byte[]?> ReadBytesAsync(this HttpContext context, int maxBytes)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await context.ReadBodyAsync();
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
