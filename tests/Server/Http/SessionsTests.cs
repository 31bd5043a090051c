using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core;
using FlashSale.Server.Http;
using FlashSale.Tests.Server.Orders;

using Microsoft.AspNetCore.Http;

using Xunit;

namespace FlashSale.Tests.Server.Http;

public sealed class SessionsTests
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private readonly SteppedTime time = new();
    private readonly Sessions sessions;

    public SessionsTests() => sessions = new Sessions(Key, time);

    [Theory]
    [InlineData("", Roles.None)]
    [InlineData(""","role":"operator" """, Roles.Operator)]
    [InlineData(""","role":["operator","dealer"]""", Roles.Operator | Roles.Dealer)]
    [InlineData(""","role":[]""", Roles.None)]
    [InlineData(""","role":"Operator" """, Roles.None)]
    [InlineData(""","role":"operator,dealer" """, Roles.None)]
    [InlineData(""","role":{"operator":true}""", Roles.None)]
    [InlineData(""","role":["root","auditor"]""", Roles.Auditor)]
    [InlineData(""","role":"1" """, Roles.None)]
    [InlineData(""","role":null""", Roles.None)]
    public void TryVerify_WithRoles_GrantsThoseItKnows(string role, Roles expected)
    {
        Assert.True(sessions.TryVerify(Token(Claims(role: role)), out var session));
        Assert.Equal(expected, session.Roles);
        Assert.Equal("alice", session.User.Value);
    }

    [Fact]
    public void TryVerify_WhenTheTokenExpires_RefusesItAlthoughItIsRemembered()
    {
        var token = Token(Claims(expires: 60));
        for (var i = 0; i < 3; i++)
        {
            Assert.True(sessions.TryVerify(token, out _));
        }

        time.Advance(TimeSpan.FromSeconds(59));
        Assert.True(sessions.TryVerify(token, out _));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(sessions.TryVerify(token, out _));
    }

    [Fact]
    public void TryVerify_WithAnyFlaw_Refuses()
    {
        var good = Claims();
        var other = RandomNumberGenerator.GetBytes(32);
        string[] bad =
        [
            "", ".", "..", "...", "a.b.c", "garbage", new('a', 10_000), "é.é.é", Token(good) + "A", Token(good)[..^2], " " + Token(good), Token(good).Replace('.', ':'),
            Token(good, key: other),
            Token(good, head: """{"alg":"none","typ":"JWT"}"""),
            Token(good, head: """{"alg":"none","typ":"JWT"}""")[..^43],
            Token(good, head: """{"alg":"HS384","typ":"JWT"}"""),
            Token(good, head: """{"alg":"RS256","typ":"JWT"}"""),
            Token(good, head: """{"alg":"HS256","crit":["x"],"x":1}""", key: other),
            Token(good, head: "[]"), Token(good, head: "nonsense"), Token("[]"), Token("nonsense"), Token("{}"), Token("null"),
            Token(Claims(expires: -1)), Token(Claims(expires: 0)), Token(Claims().Replace("\"exp\"", "\"exq\"", StringComparison.Ordinal)),
            Token(Claims().Replace("\"iss\":\"flashsale\"", "\"iss\":\"other\"", StringComparison.Ordinal)),
            Token(Claims().Replace("\"aud\":\"flashsale\"", "\"aud\":\"other\"", StringComparison.Ordinal)),
            Token(Claims().Replace("\"iss\":\"flashsale\",", "", StringComparison.Ordinal)),
            Token(Claims().Replace("\"aud\":\"flashsale\",", "", StringComparison.Ordinal)),
            Token(Claims().Replace("\"sub\":\"alice\",", "", StringComparison.Ordinal)),
            Token(Claims(user: "\"\"")), Token(Claims(user: "\"a b\"")), Token(Claims(user: "\"" + new string('a', 65) + "\"")), Token(Claims(user: "\"a/../b\"")),
            Token(Claims(user: "\"\\ud83c\\udfab\"")), Token(Claims(user: "null")), Token(Claims(user: "[\"alice\"]")), Token(Claims(user: "{}")),
            Token(Claims(role: ",\"nbf\":99999999999")),
        ];

        foreach (var token in bad)
        {
            Assert.False(sessions.TryVerify(token, out _), token);
            Assert.False(sessions.TryVerify(token, out _), token);
        }
    }

    [Theory]
    [InlineData("1e400")]
    [InlineData("99999999999999999999")]
    [InlineData("9223372036854775807")]
    [InlineData("-9223372036854775808")]
    [InlineData("\"soon\"")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("true")]
    [InlineData("1e18")]
    public void TryVerify_WithAnExpiryThatIsNoTime_DoesNotThrow(string exp)
    {
        var token = Token($$"""{"iss":"flashsale","aud":"flashsale","sub":"alice","exp":{{exp}}}""");
        if (sessions.TryVerify(token, out var session))
        {
            Assert.True(session.ExpiresAt > time.GetUtcNow());
        }
    }

    [Fact]
    public void TryVerify_OfMoreTokensThanAreRemembered_UsesBoundedMemory()
    {
        // Signing takes long, so a good token is made many only where it matters: the cache is bounded by count, in two generations.
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < (Limits.SessionsCached / 2) + 1_000; i++)
        {
            Assert.True(sessions.TryVerify(Token(Claims(user: $"\"u{i}\"")), out _));
        }

        var half = GC.GetTotalMemory(forceFullCollection: true) - before;
        for (var i = 0; i < Limits.SessionsCached + 2_000; i++)
        {
            Assert.True(sessions.TryVerify(Token(Claims(user: $"\"v{i}\"")), out _));
        }

        var full = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(sessions);
        Assert.InRange(full, 0, half * 5 / 2);
    }

    [Theory]
    [InlineData("GET", null, null, true)]
    [InlineData("HEAD", "https://evil.example", null, true)]
    [InlineData("POST", null, null, false)]
    [InlineData("POST", "http://shop.example:5080", null, true)]
    [InlineData("POST", "http://shop.example", null, false)]
    [InlineData("POST", "https://evil.example", null, false)]
    [InlineData("POST", "http://shop.example:5080.evil.example", null, false)]
    [InlineData("POST", "http://evil.example/shop.example:5080", null, false)]
    [InlineData("POST", "http://shop.example:5080@evil.example", null, false)]
    [InlineData("POST", "null", null, false)]
    [InlineData("POST", "", null, false)]
    [InlineData("POST", null, "same-origin", true)]
    [InlineData("POST", null, "same-site", false)]
    [InlineData("POST", null, "cross-site", false)]
    [InlineData("POST", null, "none", false)]
    [InlineData("POST", "https://evil.example", "same-origin", false)]
    [InlineData("DELETE", "https://evil.example", null, false)]
    public void TryRead_FromTheCookie_CountsOnlyFromOurOwnPages(string method, string? origin, string? site, bool expected)
    {
        var request = Request(method, ("Cookie", $"{Sessions.CookieName}={Token(Claims())}"), ("Origin", origin), ("Sec-Fetch-Site", site));
        Assert.Equal(expected, sessions.TryRead(request, out _));
    }

    [Theory]
    [InlineData("Bearer {0}", true)]
    [InlineData("bearer {0}", true)]
    [InlineData("Bearer{0}", false)]
    [InlineData("Bearer ", false)]
    [InlineData("Basic {0}", false)]
    [InlineData("{0}", false)]
    [InlineData("", false)]
    [InlineData("Bearer {0}, Bearer {0}", false)]
    public void TryRead_WithAnAuthorizationHeader_LooksAtNothingElse(string header, bool expected)
    {
        // A cookie beside it does not make up for a header that is not good.
        var token = Token(Claims());
        var request = Request("GET", ("Authorization", header.Replace("{0}", token, StringComparison.Ordinal)), ("Cookie", $"{Sessions.CookieName}={token}"));
        Assert.Equal(expected, sessions.TryRead(request, out _));
    }

    [Fact]
    public void Create_ThenVerify_GivesBackUserAndRoles()
    {
        var token = sessions.Create(UserId.Parse("olga"), ["operator", "risk"], TimeSpan.FromHours(1));
        Assert.True(sessions.TryVerify(token, out var session));
        Assert.Equal("olga", session.User.Value);
        Assert.Equal(Roles.Operator | Roles.Risk, session.Roles);
        Assert.False(new Sessions(RandomNumberGenerator.GetBytes(32), time).TryVerify(token, out _));
    }

    private static DefaultHttpContext Request(string method, params (string Name, string? Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Host = new HostString("shop.example", 5080);
        foreach (var (name, value) in headers.Where(header => header.Value is not null))
        {
            context.Request.Headers[name] = value;
        }

        return context;
    }

    private string Claims(string user = "\"alice\"", int expires = 3_600, string role = "") =>
        $$"""{"iss":"flashsale","aud":"flashsale","sub":{{user}},"exp":{{time.GetUtcNow().ToUnixTimeSeconds() + expires}}{{role}}}""";

    private static string Token(string claims, string head = """{"alg":"HS256","typ":"JWT"}""", byte[]? key = null)
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(head))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key ?? Key, Encoding.ASCII.GetBytes(signed)))}";
    }
}
