using System.Net;
using System.Text;
using System.Text.RegularExpressions;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

/// <summary>Somebody at the console: a browser without script, signed in by the cookie of the console.</summary>
public sealed class DeskVisitor(TestServer server, string userId, params IReadOnlyList<string> roles)
{
    private static readonly HttpClient Browser = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly string cookie = "flashsale_console=" + server.CreateSession(userId, roles);

    /// <param name="path">From the root of the server.</param>
    public Task<DeskPage> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    /// <summary>A form, from a page of the console.</summary>
    public Task<DeskPage> PostAsync(string path, params (string Name, string Value)[] fields) => PostAsync(path, server.Address.GetLeftPart(UriPartial.Authority), fields);

    /// <param name="origin">Whose page the browser says that it comes from; null: it says nothing.</param>
    public Task<DeskPage> PostAsync(string path, string? origin, params (string Name, string Value)[] fields) =>
        SendAsync(HttpMethod.Post, path, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))), origin);

    public async Task<DeskPage> SendAsync(HttpMethod method, string path, HttpContent? content, string? origin = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(server.Address, path)) { Content = content };
        if (roles.Count > 0)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookie);
        }

        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
        }

        using var response = await Browser.SendAsync(request);
        return new DeskPage(
            response.StatusCode,
            response.Headers.Location?.ToString(),
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase),
            await response.Content.ReadAsByteArrayAsync(),
            $"{method} {path}");
    }
}

/// <summary>What the console answered.</summary>
public sealed partial record DeskPage(HttpStatusCode Status, string? Location, IReadOnlyDictionary<string, string> Headers, byte[] Bytes, string Asked)
{
    public string Html => Encoding.UTF8.GetString(Bytes);

    /// <summary>What a reader sees: without tags, and with single spaces.</summary>
    public string Text => Spaces().Replace(WebUtility.HtmlDecode(Tags().Replace(Body().Match(Html).Value is { Length: > 0 } body ? body : Html, " ")), " ");

    /// <summary>Lines of a CSV file, without the mark in front.</summary>
    public string[] Lines => Html.TrimStart('\uFEFF').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

    public DeskPage Expect(HttpStatusCode status)
    {
        Assert.True(Status == status, $"{Asked}: {(int)Status} instead of {(int)status} to {Location}: {Text[..Math.Min(Text.Length, 2_000)]}");
        return this;
    }

    /// <summary>The value of a field of a form.</summary>
    public string Value(string name) => WebUtility.HtmlDecode(Regex.Match(Html, $"name=\"{Regex.Escape(name)}\"[^>]*?value=\"([^\"]*)\"", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value);

    [GeneratedRegex("<main.*</main>", RegexOptions.Singleline, 1_000)]
    private static partial Regex Body();

    [GeneratedRegex("<[^>]*>", RegexOptions.None, 1_000)]
    private static partial Regex Tags();

    [GeneratedRegex(@"\s+", RegexOptions.None, 1_000)]
    private static partial Regex Spaces();
}
