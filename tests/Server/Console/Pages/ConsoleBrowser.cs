using System.Net;
using System.Text.RegularExpressions;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

/// <summary>A browser without script that is signed in to the console: it follows nothing by itself, and sends forms from the console's own pages.</summary>
public sealed class ConsoleBrowser : IDisposable
{
    private readonly HttpClient client;
    private readonly TestServer server;

    public ConsoleBrowser(TestServer server, string user, params IReadOnlyList<string> roles)
    {
        this.server = server;
        client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }, disposeHandler: true) { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Add("Cookie", "flashsale_console=" + server.CreateSession(user, roles));
    }

    /// <param name="path">From the root of the server.</param>
    public async Task<PageAnswer> GetAsync(string path)
    {
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
        return await PageAnswer.ReadAsync(response);
    }

    /// <param name="path">From the root of the server.</param>
    /// <param name="origin">Where the form stands; null: on a page of ours.</param>
    public async Task<PageAnswer> PostAsync(string path, IReadOnlyDictionary<string, string> fields, string? origin = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Add("Origin", origin ?? server.Address.GetLeftPart(UriPartial.Authority));
        using var response = await client.SendAsync(request);
        return await PageAnswer.ReadAsync(response);
    }

    public Task<PageAnswer> PostAsync(string path, params (string Name, string Value)[] fields) =>
        PostAsync(path, fields.ToDictionary(field => field.Name, field => field.Value));

    public void Dispose() => client.Dispose();
}

/// <summary>What a page says.</summary>
public sealed partial record PageAnswer(HttpStatusCode Status, string? Location, string? MediaType, string Html, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>What is read, without the tags.</summary>
    public string Text => WebUtility.HtmlDecode(Blanks().Replace(Tags().Replace(Html, " "), " "));

    public static async Task<PageAnswer> ReadAsync(HttpResponseMessage response) => new(
        response.StatusCode,
        response.Headers.Location?.ToString(),
        response.Content.Headers.ContentType?.ToString(),
        await response.Content.ReadAsStringAsync(),
        response.Headers.ToDictionary(header => header.Key, header => string.Join(',', header.Value), StringComparer.OrdinalIgnoreCase));

    public PageAnswer Expect(HttpStatusCode status)
    {
        Assert.True(Status == status, $"{(int)Status} instead of {(int)status}: {Text}");
        return this;
    }

    /// <summary>The browser was sent on after an action.</summary>
    public PageAnswer ExpectSeen(string location)
    {
        Expect(HttpStatusCode.SeeOther);
        Assert.Equal(location, Location);
        return this;
    }

    public PageAnswer Says(params string[] words)
    {
        Assert.All(words, word => Assert.Contains(word, Text, StringComparison.Ordinal));
        return this;
    }

    public PageAnswer DoesNotSay(params string[] words)
    {
        Assert.All(words, word => Assert.DoesNotContain(word, Text, StringComparison.Ordinal));
        return this;
    }

    /// <summary>Every field of the form that sends to this address, as it stands.</summary>
    public Dictionary<string, string> Form(string action)
    {
        var form = Forms().Matches(Html).FirstOrDefault(match => match.Groups["action"].Value == action);
        Assert.True(form is not null, $"No form sends to {action}: {Text}");
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match input in Inputs().Matches(form.Groups["inside"].Value))
        {
            var (tag, name) = (input.Value, Attribute(input.Value, "name"));
            if (name is not null && (Attribute(tag, "type") != "checkbox" || tag.Contains(" checked", StringComparison.Ordinal)))
            {
                fields[name] = Attribute(tag, "value") ?? "";
            }
        }

        foreach (Match select in Selects().Matches(form.Groups["inside"].Value))
        {
            var chosen = Options().Matches(select.Groups["inside"].Value).Select(option => option.Value).ToArray();
            fields[select.Groups["name"].Value] = Attribute(chosen.FirstOrDefault(option => option.Contains(" selected", StringComparison.Ordinal)) ?? chosen[0], "value")!;
        }

        return fields;
    }

    /// <summary>What is wrong with a field, beside it; null when nothing is.</summary>
    /// <param name="id">Of the field.</param>
    public string? ErrorOf(string id) =>
        Regex.Match(Html, $"<p class=\"error\" id=\"{Regex.Escape(id)}-error\">([^<]*)</p>", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)) is { Success: true } match
            ? WebUtility.HtmlDecode(match.Groups[1].Value)
            : null;

    private static string? Attribute(string tag, string name) =>
        Regex.Match(tag, $" {name}=\"([^\"]*)\"", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)) is { Success: true } match ? WebUtility.HtmlDecode(match.Groups[1].Value) : null;

    [GeneratedRegex("<(script|style)[^>]*>.*?</\\1>|<[^>]*>", RegexOptions.CultureInvariant | RegexOptions.Singleline, 1_000)]
    private static partial Regex Tags();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Blanks();

    [GeneratedRegex("<form method=\"post\" action=\"(?<action>[^\"]*)\"[^>]*>(?<inside>.*?)</form>", RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Forms();

    [GeneratedRegex("<input[^>]*>", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Inputs();

    [GeneratedRegex("<select[^>]* name=\"(?<name>[^\"]*)\"[^>]*>(?<inside>.*?)</select>", RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Selects();

    [GeneratedRegex("<option[^>]*>", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Options();
}
