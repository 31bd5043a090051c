using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FlashSale.Server.Http;

public static class Responses
{
    /// <summary>A JSON document that nobody may cache.</summary>
    public static Task WriteDocumentAsync<T>(this HttpContext context, int status, T document, JsonTypeInfo<T> type)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.Headers.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        var body = JsonSerializer.SerializeToUtf8Bytes(document, type);
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }
}
