using System.Net.Http.Headers;

using Xunit;

namespace FlashSale.Tests.Server.Http;

/// <summary>The pages, asked as no browser asks.</summary>
public sealed class HostilePageTests(HostileShop shop) : IClassFixture<HostileShop>
{
    private static readonly string[] Ids = ["0", "-1", "x", "%20", "%2F", "%2e%2e%2f", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%F0%9F%8E%AB", "%FF", "%ED%A0%80", "'", "%0d%0aX:%201", new('a', 3_000), new('9', 30)];

    private static readonly (string? Type, string Body)[] Forms =
    [
        ("application/x-www-form-urlencoded", ""), ("application/x-www-form-urlencoded", "&&&==="), ("application/x-www-form-urlencoded", "token=%ff%fe&userId=%00&status=%zz"),
        ("application/x-www-form-urlencoded", "userId=a%20b&path=//evil.example&token=x&status=paid"), ("application/x-www-form-urlencoded", "userId=a&userId=b&token=a&token=b&status=paid&status=failed"),
        ("application/x-www-form-urlencoded", string.Concat(Enumerable.Range(0, 3_000).Select(i => $"k{i}=1&"))), ("application/x-www-form-urlencoded", "token=" + new string('x', 100_000)),
        ("application/x-www-form-urlencoded", new string('k', 100_000) + "=1"), ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc"),
        ("multipart/form-data; boundary=x", "--x--"), ("multipart/form-data", "nonsense"), ("multipart/form-data; boundary=" + new string('b', 500), "x"), ("application/json", "{}"), ("text/plain", "x"), (null, "x"),
        ("application/x-www-form-urlencoded; charset=utf-7", "token=+AGE-"), ("application/x-www-form-urlencoded; charset=nonsense", "token=a"),
    ];

    [Fact]
    public async Task Page_WithAnyIdAndForm_BreaksNothing()
    {
        string[] gets = ["/", "/sales/{id}", "/sales/{id}/checkout/{id}", "/orders", "/orders?cursor={id}", "/orders/{id}", "/coupons/{id}", "/sign-in", "/sign-in?return={id}", "/sandbox/payments/{id}", "/problems/{id}", "/{id}"];
        string[] posts = ["/sign-in", "/sign-out", "/sales/{id}/reservation", "/sales/{id}/checkout/{id}", "/orders/{id}/payment", "/orders/{id}/cancellation", "/sandbox/payments/{id}"];
        foreach (var language in new[] { "", "/en" })
        {
            foreach (var id in Ids)
            {
                foreach (var path in gets)
                {
                    await AskAsync(HttpMethod.Get, language + path.Replace("{id}", id, StringComparison.Ordinal), null, null);
                }
            }

            foreach (var path in posts)
            {
                foreach (var (type, body) in Forms)
                {
                    await AskAsync(HttpMethod.Post, language + path.Replace("{id}", "1", StringComparison.Ordinal), type, body);
                }
            }
        }

        await shop.AssertHealthyAsync();
    }

    private async Task AskAsync(HttpMethod method, string path, string? type, string? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Cookie", $"flashsale_session={shop.Session}; other=%00; =; ;;");
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(HostileShop.Bytes(body));
            request.Content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        }

        var reply = await shop.Victim.SendAsync(request);
        Assert.True((int)reply.Status < 500, $"{method} {path[..Math.Min(path.Length, 80)]} with {type} {body?[..Math.Min(body.Length, 80)]}: {(int)reply.Status} {reply.Body}");
        Assert.DoesNotContain("<script>alert(1)", reply.Body, StringComparison.OrdinalIgnoreCase);
    }
}
