using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;

using Xunit;

namespace FlashSale.Tests.Server.Http;

/// <summary>Invariant I11 at every endpoint: who is not let in gets 401, who has not the role gets 403, before anything else is looked at.</summary>
public sealed class SessionRequirementTests(HostileShop shop) : IClassFixture<HostileShop>
{
    [Fact]
    public async Task Call_WithoutASessionThatHolds_Is401()
    {
        var key = Convert.FromBase64String(shop.Server.AuthKey);
        var later = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        var good = Claims("flashsale", "flashsale", "\"mallory\"", later);
        string?[] headers =
        [
            null, "", "Bearer", "Bearer ", "Bearer garbage", "Bearer a.b.c", "Basic b2xnYTpvbGdh", "Bearer " + shop.Session[..^3], "Bearer " + shop.Session + "AA",
            "Bearer " + Sign(good, RandomNumberGenerator.GetBytes(32)),
            "Bearer " + Sign(good, key, """{"alg":"none","typ":"JWT"}"""),
            "Bearer " + Sign(good, key, """{"alg":"none","typ":"JWT"}""").Split('.')[0] + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(good)) + ".",
            "Bearer " + Sign(Claims("flashsale", "flashsale", "\"mallory\"", 1), key),
            "Bearer " + Sign(Claims("flashsale", "flashsale", "\"mallory\"", null), key),
            "Bearer " + Sign(Claims("other", "flashsale", "\"mallory\"", later), key),
            "Bearer " + Sign(Claims("flashsale", "other", "\"mallory\"", later), key),
            "Bearer " + Sign(Claims("flashsale", "flashsale", "\"a b\"", later), key),
            "Bearer " + Sign(Claims("flashsale", "flashsale", "\"\"", later), key),
        ];
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(new ApiCall(HttpMethod.Get, "/api/v1/admin/sales", false), "Bearer " + Sign(good, key))).Status);
        foreach (var call in shop.Calls.Where(call => call.NeedsSession))
        {
            foreach (var header in headers)
            {
                var reply = await SendAsync(call, header);
                Assert.True(reply.Status == HttpStatusCode.Unauthorized, $"{call} with {header}: {(int)reply.Status} {reply.Body}");
                reply.ExpectProblem(HttpStatusCode.Unauthorized, "unauthenticated");
            }
        }

        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Call_WithoutTheRole_Is403()
    {
        var calls = shop.Calls.Where(call => call.NeedsRole).ToList();
        Assert.InRange(calls.Count, 15, 100);
        foreach (var call in calls)
        {
            string[] roles = call.Path.StartsWith("/api/v1/coupons/", StringComparison.Ordinal) ? ["operator", "approver", "risk", "auditor"] : ["dealer"];
            (await SendAsync(call, "Bearer " + shop.Server.CreateSession("mallory"))).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
            (await SendAsync(call, "Bearer " + shop.Server.CreateSession("mallory", roles))).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        }
    }

    [Fact]
    public async Task Call_ThatIsPublic_NeedsNoSession()
    {
        foreach (var call in shop.Calls.Where(call => !call.NeedsSession && call.Method == HttpMethod.Get))
        {
            // The sale of these tests does not draw.
            (await SendAsync(call, header: null)).Expect(call.Path.EndsWith("/draw", StringComparison.Ordinal) ? HttpStatusCode.NotFound : HttpStatusCode.OK);
        }
    }

    private Task<Reply> SendAsync(ApiCall call, string? header) => shop.SendAsync(
        call,
        call.HasBody ? HostileShop.Bytes(GoodBodies.Of(call).ToJsonString()) : null,
        with: request =>
        {
            request.Headers.Remove("Authorization");
            if (header is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", header);
            }
        });

    private static string Claims(string issuer, string audience, string user, long? expires)
    {
        var exp = expires is null ? "" : $$""","exp":{{expires}}""";
        return $$"""{"iss":"{{issuer}}","aud":"{{audience}}","sub":{{user}}{{exp}},"role":["operator","approver","risk","dealer","auditor"]}""";
    }

    private static string Sign(string claims, byte[] key, string head = """{"alg":"HS256","typ":"JWT"}""")
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(head))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
    }
}
