using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Http;

/// <summary>What the server does with input that nobody in their right mind sends, at every endpoint that it says it has.</summary>
public sealed class HostileInputTests(HostileShop shop) : IClassFixture<HostileShop>
{
    private static readonly string Deep = string.Concat(Enumerable.Repeat("[", 2_000));

    /// <summary>No JSON at all, or no object.</summary>
    private static readonly (string Name, byte[] Body)[] Malformed =
    [
        .. new[]
        {
            "{", "}", "{\"", "{\"a\"", "{\"a\":", "{\"a\":1", "[]", "[{}]", "\"x\"", "17", "null", "true", "{} x", "{}{}", "{},", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":01}",
            "{\"a\":+1}", "{\"a\":0x1}", "{'a':1}", "{a:1}", "{\"a\":1,}", "/* */{}", "{}//", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\n\"}", "\0", "{}\0", "{\0}", " ", "\uFEFF{}",
            "{\"a\":" + Deep + "}", Deep, "<a/>", "a=1&b=2", "{\"a\":tru}",
        }.Select(text => (text.Length > 40 ? text[..40] : text, HostileShop.Bytes(text))),
        ("invalid UTF-8", [.. "{\"a\":\""u8, 0xff, 0xfe, .. "\"}"u8]),
        ("overlong UTF-8", [.. "{\"a\":\""u8, 0xc0, 0x80, .. "\"}"u8]),
        ("a surrogate in UTF-8", [.. "{\"a\":\""u8, 0xed, 0xa0, 0x80, .. "\"}"u8]),
        ("UTF-16", System.Text.Encoding.Unicode.GetBytes("{}")),
        ("random bytes", [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 37 % 256))]),
    ];

    /// <summary>JSON objects, and strange.</summary>
    private static readonly string[] Strange =
    [
        "{}", " {} ", """{"a":1,"a":2}""", """{"\ud800":1}""", """{"reason":"\ud800"}""", """{"reason":"\u0000"}""", """{"reason":1e400}""", """{"token":1e400}""", """{"":""}""",
        """{"reason":"a","reason":"\udc00"}""", """{"__proto__":{},"constructor":null}""", """{"roles":["\ud800"],"userId":"\ud800"}""", """{"roles":[null,1,{}],"userId":"a"}""",
        """{"\u0072eason":"a"}""", """{"token":"\ud83c\udfab"}""",
    ];

    private static readonly string[] WrongValues =
    [
        "null", "true", "17", "-1", "0", "1.5", "1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "1e18", "\"\"", "\"x\"", "\" \"", "[]", "{}", "[[]]", "[null]", "[1,2]",
        "\"\\ud800\"", "\"\\u0000\"", "\"17\"", "\"2030-02-30T00:00:00Z\"", "\"0001-01-01T00:00:00+14:00\"", "\"9999-12-31T23:59:59.9999999-14:00\"", "{\"amount\":-1,\"currency\":\"CNY\"}",
        "{\"zh\":\"\\udfff\",\"en\":\"\\ud800\"}",
    ];

    private static readonly string[] HostileIds =
    [
        "0", "-1", "+1", "01", "1e3", "9223372036854775808", "99999999999999999999999999", "abc", "%20", "%2F", "a%2Fb", "%2e%2e%2f", "%5C", "%25", "%25%30%30", "%7B%7D", "'", "%22", "%3Cscript%3E",
        "%E7%AB%AF", "%F0%9F%8E%AB", "%ED%A0%80", "%FF", "%C0%AF", "00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff", "0000-0000-0000", ";drop", "*", "~", "%0A", "%0d%0aX:%201",
    ];

    [Fact]
    public void Calls_OfTheServer_AreAllKnown()
    {
        Assert.InRange(shop.Calls.Count, 27, 100);
        Assert.All(shop.Calls.Where(call => call.HasBody), call => Assert.NotEmpty(GoodBodies.Of(call)));
        Assert.All(shop.Calls, call => Assert.DoesNotContain('{', shop.PathOf(call)));
    }

    [Fact]
    public async Task Body_ThatIsNoJsonObject_Is400()
    {
        foreach (var call in shop.Calls.Where(call => call.HasBody))
        {
            foreach (var (name, body) in Malformed)
            {
                var reply = await shop.SendAsync(call, body);
                Assert.True(reply.Status == HttpStatusCode.BadRequest, $"{call} with {name}: {(int)reply.Status} {reply.Body}");
                reply.ExpectProblem(HttpStatusCode.BadRequest, "malformed-request");
            }
        }

        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Body_ThatIsAStrangeObject_BreaksNothing()
    {
        foreach (var call in shop.Calls)
        {
            foreach (var body in Strange.Where(_ => call.Method != HttpMethod.Get))
            {
                HostileShop.AssertUnbroken(await shop.SendAsync(call, HostileShop.Bytes(body)), body);
            }
        }

        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Body_WithAWrongValueInAnyField_BreaksNothing()
    {
        foreach (var call in shop.Calls.Where(call => call.HasBody))
        {
            foreach (var path in Leaves(GoodBodies.Of(call), []).ToList())
            {
                foreach (var value in WrongValues)
                {
                    var body = With(GoodBodies.Of(call), path, value);
                    HostileShop.AssertUnbroken(await shop.SendAsync(call, HostileShop.Bytes(body)), body);
                }
            }
        }

        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Body_WithFieldsThatNobodyKnows_IsTakenAllTheSame()
    {
        foreach (var call in shop.Calls.Where(call => call.HasBody))
        {
            var plain = await shop.SendAsync(call, HostileShop.Bytes(GoodBodies.Of(call).ToJsonString()));
            await shop.RenewAsync();
            var body = GoodBodies.Of(call);
            body["unknown"] = new JsonObject { ["a"] = new JsonArray(1, "x", null) };
            Assert.Equal(plain.Status, (await shop.SendAsync(call, HostileShop.Bytes(body.ToJsonString()))).Status);
            await shop.RenewAsync();
        }
    }

    [Fact]
    public async Task Body_BeyondTheLimit_Is413()
    {
        foreach (var call in shop.Calls.Where(call => call.HasBody))
        {
            foreach (var size in new[] { 600 * 1024, 1024 * 1024 })
            {
                var body = HostileShop.Bytes("{\"a\":\"" + new string('x', size) + "\"}");
                (await shop.SendAsync(call, body)).ExpectProblem(HttpStatusCode.RequestEntityTooLarge, "body-too-large");
                (await shop.SendAsync(call, body, with: request => request.Headers.TransferEncodingChunked = true))
                    .ExpectProblem(HttpStatusCode.RequestEntityTooLarge, "body-too-large");
            }
        }

        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Body_OfAnotherMediaType_Is415()
    {
        foreach (var call in shop.Calls.Where(call => call.HasBody && call.Path != "/api/v1/payment-callbacks/sandbox"))
        {
            var body = HostileShop.Bytes(GoodBodies.Of(call).ToJsonString());
            foreach (var type in new[] { "text/plain", "application/xml", "application/jsonp", "application/json-patch+json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", null })
            {
                var reply = await shop.SendAsync(call, body, type);
                Assert.True(reply.Status == HttpStatusCode.UnsupportedMediaType, $"{call} with {type}: {(int)reply.Status} {reply.Body}");
                reply.ExpectProblem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
            }
        }

        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Body_ThatIsCompressed_IsNotReadAsIfItWereNot()
    {
        using var stream = new MemoryStream();
        await using (var zip = new GZipStream(stream, CompressionLevel.Fastest))
        {
            await zip.WriteAsync("{\"reason\":\"a test\"}"u8.ToArray());
        }

        foreach (var call in shop.Calls.Where(call => call.HasBody))
        {
            var reply = await shop.SendAsync(call, stream.ToArray(), with: request => request.Content!.Headers.ContentEncoding.Add("gzip"));
            Assert.Contains(reply.ExpectProblem().Status, new[] { HttpStatusCode.BadRequest, HttpStatusCode.UnsupportedMediaType });
        }
    }

    [Fact]
    public async Task Path_WithAnIdThatIsNone_BreaksNothing()
    {
        foreach (var call in shop.Calls.Where(call => call.HasParameter))
        {
            foreach (var id in HostileIds.Append(new string('9', 3_000)).Append(new string('a', 3_000)))
            {
                var body = call.HasBody ? HostileShop.Bytes(GoodBodies.Of(call).ToJsonString()) : null;
                var reply = await shop.SendAsync(call, body, path: shop.PathOf(call, id));
                HostileShop.AssertUnbroken(reply, id);
                Assert.True((int)reply.Status >= 400 || call.Path.Contains("{userId}", StringComparison.Ordinal), $"{reply.Asked}: {(int)reply.Status}");
            }
        }

        await shop.AssertHealthyAsync();
    }

    [Fact]
    public async Task Cursor_ThatIsNone_Is422()
    {
        foreach (var path in new[] { "/api/v1/orders", "/api/v1/admin/audit", "/api/v1/admin/sales" })
        {
            foreach (var cursor in new[] { "x", "-1", "%00", "%ED%A0%80", "1.5", "99999999999999999999", new string('9', 2_000), "a&cursor=b" })
            {
                var reply = await shop.Victim.SendAsync(HttpMethod.Get, $"{path}?cursor={cursor}", shop.Session);
                reply.ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
                Assert.True(reply.Json.GetProperty("errors").TryGetProperty("cursor", out _));
            }
        }
    }

    [Fact]
    public async Task Method_ThatIsNotThere_Is405()
    {
        foreach (var path in shop.Calls.GroupBy(call => call.Path))
        {
            var there = path.Select(call => call.Method).ToHashSet();
            foreach (var method in new[] { "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO" }.Select(name => new HttpMethod(name)).Where(method => !there.Contains(method)))
            {
                var reply = await shop.SendAsync(new ApiCall(method, path.Key, HasBody: false), body: null);
                Assert.True(reply.Status == HttpStatusCode.MethodNotAllowed, $"{reply.Asked}: {(int)reply.Status} {reply.Body}");
                if (method != HttpMethod.Head)
                {
                    reply.ExpectProblem(HttpStatusCode.MethodNotAllowed, "method-not-allowed");
                }
            }
        }
    }

    [Fact]
    public async Task Path_ThatIsNotThere_Is404()
    {
        foreach (var path in new[] { "/api", "/api/", "/api/v1", "/api/v2/orders", "/api/v1/order", "/api/v1/orders/a/b/c", "/api/v1/admin", "/api/v1/admin/nothing", "/api/v1/sales//state", "/api/v1/%2e%2e%2fx" })
        {
            (await shop.Victim.SendAsync(HttpMethod.Get, path, shop.Session)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        }
    }

    /// <summary>Every value of an object, at any depth, by its way there.</summary>
    private static IEnumerable<object[]> Leaves(JsonNode node, object[] path)
    {
        if (path.Length > 0)
        {
            yield return path;
        }

        var children = node switch
        {
            JsonObject @object => @object.Select(child => ((object)child.Key, child.Value!)),
            JsonArray array => array.Select((child, at) => ((object)at, child!)),
            _ => [],
        };
        foreach (var leaf in children.SelectMany(child => Leaves(child.Item2, [.. path, child.Item1])))
        {
            yield return leaf;
        }
    }

    /// <param name="json">As it stands, right or wrong.</param>
    private static string With(JsonObject body, object[] path, string json)
    {
        const string Place = "@@here@@";
        JsonNode node = body;
        foreach (var step in path[..^1])
        {
            node = step is int at ? node[at]! : node[(string)step]!;
        }

        if (path[^1] is int last)
        {
            node[last] = Place;
        }
        else
        {
            node[(string)path[^1]] = Place;
        }

        return body.ToJsonString().Replace($"\"{Place}\"", json, StringComparison.Ordinal);
    }
}
