using System.Net;
using System.Text.Json;

using Xunit;

namespace FlashSale.Tests.Server;

/// <summary>What the server answered, read whole.</summary>
public sealed record Reply(HttpStatusCode Status, string? MediaType, string? Location, string? RetryAfter, string Body, string Asked)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public static async Task<Reply> ReadAsync(HttpResponseMessage response) => new(
        response.StatusCode,
        response.Content.Headers.ContentType?.MediaType,
        response.Headers.Location?.ToString(),
        response.Headers.TryGetValues("Retry-After", out var values) ? string.Join(',', values) : null,
        await response.Content.ReadAsStringAsync(),
        $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri}");

    public string Text(string name) => Json.GetProperty(name).GetString()!;

    public Reply Expect(HttpStatusCode status)
    {
        Assert.True(Status == status, $"{Asked}: {(int)Status} instead of {(int)status}: {Body}");
        return this;
    }

    /// <summary>A problem document with every field that one has (RFC 9457, api.md).</summary>
    public Reply ExpectProblem()
    {
        Assert.True(MediaType == "application/problem+json", $"{Asked}: {(int)Status} with media type {MediaType}: {Body}");
        var json = Json;
        Assert.Equal((int)Status, json.GetProperty("status").GetInt32());
        Assert.Equal("/problems/" + Text("code"), Text("type"));
        Assert.NotEqual("", Text("title"));
        Assert.NotEqual("", Text("traceId"));
        Assert.Contains(Text("effect"), new[] { "none", "applied", "unknown" });
        if (Status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            Assert.InRange(int.Parse(RetryAfter!), 1, 60);
        }

        return this;
    }

    public Reply ExpectProblem(HttpStatusCode status, string code, string effect = "none")
    {
        Expect(status).ExpectProblem();
        Assert.Equal(code, Text("code"));
        Assert.Equal(effect, Text("effect"));
        return this;
    }
}
