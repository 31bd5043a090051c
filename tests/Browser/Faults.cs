using System.Collections.Concurrent;

using Microsoft.Playwright;

using Xunit;

namespace FlashSale.Tests.Browser;

/// <summary>What must not happen in any page: an error in the console (what the content security policy refused is one), an uncaught error, a request that leaves the shop.</summary>
public sealed class Faults
{
    private readonly ConcurrentQueue<string> seen = [];
    private readonly ConcurrentBag<string> expected = [];

    public Faults(IBrowserContext profile, Uri address)
    {
        var origin = address.GetLeftPart(UriPartial.Authority);
        profile.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                seen.Enqueue($"console: {message.Text} ({message.Location})");
            }
        };
        profile.WebError += (_, error) => seen.Enqueue("uncaught: " + error.Error);
        profile.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(origin + "/", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                seen.Enqueue("leaves the shop: " + request.Url);
            }
        };
    }

    /// <summary>A fault that contains one of these texts is meant to happen in this test, such as the "409" of an answer, which the browser writes into its console.</summary>
    public void Expect(params string[] texts)
    {
        foreach (var text in texts)
        {
            expected.Add(text);
        }
    }

    public IReadOnlyList<string> Unexpected() => [.. seen.Where(fault => !expected.Any(text => fault.Contains(text, StringComparison.Ordinal)))];

    public void AssertNone() => Assert.True(Unexpected().Count == 0, string.Join('\n', Unexpected()));
}
