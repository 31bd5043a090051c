using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Core;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class BlacklistTests(BlacklistServer shop) : IClassFixture<BlacklistServer>
{
    private static readonly object Entry = new { reason = "bots", source = "manual" };

    [Theory]
    [InlineData("addresses/192.0.2.9/24", "address", "192.0.2.0/24")]
    [InlineData("addresses/::ffff:192.0.2.9", "address", "192.0.2.9/32")]
    [InlineData("addresses/192.0.2.77", "address", "192.0.2.77/32")]
    [InlineData("addresses/2001:DB8:0::1/33", "address", "2001:db8::/33")]
    [InlineData("devices/00000000000000ef", "device", "00000000000000ef")]
    public async Task Put_OfADeviceOrRange_IsKeptInItsOneSpelling_AndAudited(string path, string kind, string subject)
    {
        var put = (await shop.AdminAsync(HttpMethod.Put, "blacklist/" + path, Entry, "risk")).Expect(HttpStatusCode.OK);

        Assert.Equal((kind, subject, "rita", "bots"), (put.Text("kind"), put.Text("subject"), put.Text("actor"), put.Text("reason")));
        Assert.Equal(put.Body, (await shop.AdminAsync(HttpMethod.Get, "blacklist/" + path)).Expect(HttpStatusCode.OK).Body);
        var canonical = kind == "device" ? "devices/" + subject : "addresses/" + subject;
        Assert.Equal(put.Body, (await shop.AdminAsync(HttpMethod.Get, "blacklist/" + canonical, null, "auditor")).Expect(HttpStatusCode.OK).Body);
        (await shop.AdminAsync(HttpMethod.Delete, $"blacklist/{canonical}?reason=an%20appeal", null, "risk")).Expect(HttpStatusCode.NoContent);
        (await shop.AdminAsync(HttpMethod.Delete, "blacklist/" + path)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await shop.AdminAsync(HttpMethod.Get, "blacklist/" + path)).ExpectProblem(HttpStatusCode.NotFound, "not-found");

        var audit = (await shop.AdminAsync(HttpMethod.Get, "audit")).Expect(HttpStatusCode.OK).Json.GetProperty("items").EnumerateArray()
            .Where(line => line.GetProperty("subject").GetString() == $"{kind}/{subject}").ToList();
        Assert.Equal(["blacklist.remove", "blacklist.remove", "blacklist.add"], audit.Select(line => line.GetProperty("action").GetString()));
        Assert.Equal(("rita", "risk", "an appeal"), (audit[1].GetProperty("actor").GetString(), audit[1].GetProperty("role").GetString(), audit[1].GetProperty("reason").GetString()));
    }

    [Theory]
    [InlineData("addresses/0.0.0.0/0")]
    [InlineData("addresses/10.0.0.0/7")]
    [InlineData("addresses/2001::/15")]
    [InlineData("addresses/::ffff:10.0.0.0/100")]
    [InlineData("addresses/10.0.0.0/x")]
    [InlineData("addresses/10.0.0")]
    [InlineData("addresses/example.org")]
    [InlineData("devices/0000000000000000")]
    [InlineData("devices/00000000000000EF")]
    [InlineData("devices/ef")]
    public async Task Put_OfWhatIsNone_SaysWhatItMustBe(string path)
    {
        var refused = (await shop.AdminAsync(HttpMethod.Put, "blacklist/" + path, Entry)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");

        Assert.Equal([path.StartsWith("devices", StringComparison.Ordinal) ? "device" : "address"], refused.Json.GetProperty("errors").EnumerateObject().Select(error => error.Name));
        (await shop.AdminAsync(HttpMethod.Get, "blacklist/" + path)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await shop.AdminAsync(HttpMethod.Delete, "blacklist/" + path)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Calls_WithoutTheRole_AreForbidden()
    {
        foreach (var path in new[] { "blacklist/mallory", "blacklist/devices/00000000000000ab", "blacklist/addresses/192.0.2.0/24" })
        {
            foreach (var role in new[] { "auditor", "approver", "dealer" })
            {
                (await shop.AdminAsync(HttpMethod.Put, path, Entry, role)).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
                (await shop.AdminAsync(HttpMethod.Delete, path, null, role)).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
            }

            (await shop.AdminAsync(HttpMethod.Get, path, null, "dealer")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        }

        (await shop.ImportAsync(["{}"], "auditor")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await shop.AdminAsync(HttpMethod.Get, "blacklist-entries", null, "auditor")).Expect(HttpStatusCode.OK);
        (await shop.AdminAsync(HttpMethod.Get, "blacklist", null, "auditor")).Expect(HttpStatusCode.OK);
    }

    /// <summary>Every user id is a user's, whatever other paths there are.</summary>
    [Fact]
    public async Task Users_WhoseIdsAreWordsOfOtherPaths_CanBeBarredToo()
    {
        foreach (var user in new[] { "devices", "addresses", "export", "import", "blacklist-entries" })
        {
            await shop.BarAsync(user);
            Assert.Equal(user, (await shop.AdminAsync(HttpMethod.Get, "blacklist/" + user)).Expect(HttpStatusCode.OK).Text("userId"));
            await shop.LiftAsync(user);
        }
    }

    [Fact]
    public async Task Refusal_OfABarredUserDeviceOrAddress_IsTheSameForTokensAndOrders()
    {
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms(Stock: 50));
        var (stamp, device) = shop.NewDevice();
        var (address, path) = (shop.NewAddress(), $"/api/v1/offers/{sale.OfferId}/order-tokens");
        var user = $"user-{Guid.NewGuid():N}";
        (string User, string From, string? Device)[] barred = [(user, shop.NewAddress(), null), ("dora", shop.NewAddress(), stamp), ("adam", address, null)];
        var tokens = new List<string>();
        foreach (var one in barred)
        {
            tokens.Add((await shop.PostAsync(path, one.User, one.From)).Expect(HttpStatusCode.Created).Text("token"));
        }

        await shop.BarAsync(user);
        await shop.BarAsync("devices/" + device);
        await shop.BarAsync($"addresses/{address}/32");

        HashSet<string> refusals = [];
        for (var i = 0; i < barred.Length; i++)
        {
            var (who, from, with) = barred[i];
            var asked = await shop.PostAsync(path, who, from, with);
            var ordered = await shop.PostAsync("/api/v1/orders", who, from, with, new { token = tokens[i] });
            foreach (var reply in new[] { asked, ordered })
            {
                reply.ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
                refusals.Add(reply.Body.Replace(reply.Text("traceId"), "", StringComparison.Ordinal));
            }
        }

        Assert.Single(refusals);
        // Others, from elsewhere, and people with a role, are not barred.
        (await shop.PostAsync(path, "carol", shop.NewAddress(), shop.NewDevice().Stamp)).Expect(HttpStatusCode.Created);
        (await shop.PostAsync(path, "olga", address, stamp, null, "operator")).Expect(HttpStatusCode.Created);
        // Each by its own reason, in the metrics.
        using var client = shop.Server.Anonymous();
        var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        foreach (var reason in new[] { "barred_address", "barred_device", "not_eligible" })
        {
            Assert.Contains($"reason=\"{reason}\"", metrics, StringComparison.Ordinal);
        }

        await shop.LiftAsync("devices/" + device);
        await shop.LiftAsync($"addresses/{address}");
        (await shop.PostAsync("/api/v1/orders", "dora", null, stamp, new { token = tokens[1] })).Expect(HttpStatusCode.Created);
        (await shop.PostAsync("/api/v1/orders", "adam", address, null, new { token = tokens[2] })).Expect(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Order_ThatWasThereBeforeTheBar_IsToldPaidAndCancelled()
    {
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms(Stock: 5, Limit: 2));
        var address = shop.NewAddress();
        var path = $"/api/v1/offers/{sale.OfferId}/order-tokens";
        var tokens = new[] { await TokenAsync(), await TokenAsync(), await TokenAsync() };
        var orders = new[] { (await OrderAsync(tokens[0])).Expect(HttpStatusCode.Created), (await OrderAsync(tokens[1])).Expect(HttpStatusCode.Created) };

        await shop.BarAsync($"addresses/{address}/24");

        for (var i = 0; i < orders.Length; i++)
        {
            Assert.Equal(orders[i].Text("id"), (await OrderAsync(tokens[i])).Expect(HttpStatusCode.OK).Text("id"));
        }

        (await OrderAsync(tokens[2])).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await shop.PostAsync($"/api/v1/orders/{orders[1].Text("id")}/cancellation", "alice", address)).Expect(HttpStatusCode.OK);
        var payment = (await shop.PostAsync($"/api/v1/orders/{orders[0].Text("id")}/payments", "alice", address)).Expect(HttpStatusCode.Created);
        (await sale.CallbackAsync(payment.Text("id"), orders[0].Text("id"))).Expect(HttpStatusCode.NoContent);
        Assert.Equal("paid", (await sale.Named("alice").ReadAsync(orders[0].Text("id"))).Expect(HttpStatusCode.OK).Text("status"));
        await sale.AssertReconciledAsync();
        await shop.LiftAsync($"addresses/{address}/24");

        async Task<string> TokenAsync() => (await shop.PostAsync(path, "alice", address)).Expect(HttpStatusCode.Created).Text("token");

        Task<Reply> OrderAsync(string token) => shop.PostAsync("/api/v1/orders", "alice", address, null, new { token });
    }

    [Fact]
    public async Task Reservation_FromABarredOrigin_IsRefused_AndReadingGoesOn()
    {
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms { OpensIn = TimeSpan.FromMinutes(30), RequiresReservation = true });
        var (stamp, device) = shop.NewDevice();
        var address = shop.NewAddress();
        await shop.BarAsync("devices/" + device);
        await shop.BarAsync($"addresses/{address}");
        var path = $"/api/v1/sales/{sale.Id}/reservations";

        (await shop.PostAsync(path, "dora", null, stamp)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await shop.PostAsync(path + "/", "adam", address)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await shop.PostAsync(path, "carol", shop.NewAddress())).Expect(HttpStatusCode.Created);
        (await shop.PostAsync("/api/v1/sales/999999/reservations", "adam", address)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        using var client = shop.Server.Anonymous();
        (await BlacklistServer.SendAsync(client, HttpMethod.Get, "/api/v1/sales", "", null, [("X-Forwarded-For", address)])).Expect(HttpStatusCode.OK);
        await shop.LiftAsync("devices/" + device);
        await shop.LiftAsync($"addresses/{address}");
    }

    /// <summary>The pages ask by themselves, since their tokens come in forms; what they say is what a barred user sees.</summary>
    [Fact]
    public async Task Page_OfACheckout_FromABarredAddress_IsThatOfABarredUser()
    {
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms());
        var slug = (await sale.AdminAsync(HttpMethod.Get, "sales/" + sale.Id)).Text("slug");
        var (address, page) = (shop.NewAddress(), $"/sales/{slug}/checkout/{sale.OfferId}/now");
        Assert.Equal(HttpStatusCode.OK, (await OpenAsync("adam", address)).Status);
        await shop.BarAsync("mallory");
        await shop.BarAsync($"addresses/{address}");

        var user = (await OpenAsync("mallory", shop.NewAddress())).Expect(HttpStatusCode.Forbidden);
        var from = (await OpenAsync("adam", address)).Expect(HttpStatusCode.Forbidden);

        Assert.Contains("暂不符合参与条件", from.Body, StringComparison.Ordinal);
        Assert.Equal(user.Body.Replace("mallory", "", StringComparison.Ordinal), from.Body.Replace("adam", "", StringComparison.Ordinal));
        await shop.LiftAsync("mallory");
        await shop.LiftAsync($"addresses/{address}");

        async Task<Reply> OpenAsync(string user, string from)
        {
            using var client = shop.Server.Anonymous();
            return await BlacklistServer.SendAsync(client, HttpMethod.Get, page, shop.Server.CreateSession(user), null, [("X-Forwarded-For", from), ("Accept", "text/html")]);
        }
    }

    [Fact]
    public async Task Address_ThatSaysItIsAnother_StaysBarred()
    {
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms());
        var path = $"/api/v1/offers/{sale.OfferId}/order-tokens";
        var address = shop.NewAddress();
        await shop.BarAsync($"addresses/{address}");
        await shop.BarAsync("addresses/127.0.0.9");
        using var direct = shop.From("127.0.0.9");
        var session = shop.Server.CreateSession("mallory");

        // Through our proxy the last address counts, whatever stands before it; from anybody else the header is worth nothing.
        foreach (var said in new[] { $"8.8.8.8, {address}", $"127.0.0.1,{address}", $"{address}, 127.0.0.1", $"::ffff:{address}" })
        {
            (await shop.PostAsync(path, "mallory", said)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        }

        (await BlacklistServer.SendAsync(direct, HttpMethod.Post, path, session, null, [("X-Forwarded-For", "8.8.8.8")])).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await shop.PostAsync(path, "mallory", $"{address}, 8.8.8.8")).Expect(HttpStatusCode.Created);
        await shop.LiftAsync("addresses/127.0.0.9");
        await shop.LiftAsync($"addresses/{address}");
    }

    [Fact]
    public async Task Entry_ThatRunsOut_BarsNobodyAnyMore()
    {
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms());
        var path = $"/api/v1/offers/{sale.OfferId}/order-tokens";
        var address = shop.NewAddress();
        var (stamp, device) = shop.NewDevice();
        await shop.BarAsync($"addresses/{address}");
        await shop.BarAsync("devices/" + device);
        (await shop.PostAsync(path, "adam", address)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        (await shop.PostAsync(path, "adam", null, stamp)).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");

        // The end comes last: a machine that stands still before must not let it pass.
        var until = TimeProvider.System.GetUtcNow().AddSeconds(3);
        await shop.BarAsync("devices/" + device, until);
        await shop.BarAsync($"addresses/{address}", until);
        await Eventually.HoldsAsync(async () => (await shop.PostAsync(path, "adam", address)).Status == HttpStatusCode.Created, "the address is let in again");
        await Eventually.HoldsAsync(async () => (await shop.PostAsync(path, "adam", null, stamp)).Status == HttpStatusCode.Created, "the device is let in again");

        Assert.True(TimeProvider.System.GetUtcNow() >= until.AddMilliseconds(-100));
        (await shop.AdminAsync(HttpMethod.Get, $"blacklist/addresses/{address}")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Import_OfAnExport_IsTheSameBlacklist_AndBarsWithinASecond()
    {
        var sale = await ShopSale.OpenAsync(shop.Server, new ShopTerms());
        var (address, tag) = (shop.NewAddress(), $"t{Guid.NewGuid():N}"[..10]);
        string[] lines =
        [
            $$"""{"kind":"user","subject":"{{tag}}-a","reason":"机器人 \"1\"","source":"manual","expiresAt":"2090-01-01T00:00:00+08:00"}""",
            $$$"""{"kind":"user","subject":"{{{tag}}}-b","reason":"bot","source":"{{{tag}}}","unknown":{"a":1}}""" + "\r",
            "",
            $$"""{"kind":"address","subject":"{{address}}/32","reason":"bots","source":"{{tag}}"}""",
            $$"""{"kind":"device","subject":"00000000000000cd","reason":"bots","source":"{{tag}}"}""",
            $$"""{"kind":"user","subject":"{{tag}}-old","reason":"bot","source":"{{tag}}","expiresAt":"2020-01-01T00:00:00Z"}""",
        ];
        Assert.Equal("""{"added":4,"changed":0,"unchanged":0,"expired":1}""", (await shop.ImportAsync(lines, "risk")).Expect(HttpStatusCode.OK).Body);
        await Eventually.HoldsAsync(
            async () => (await shop.PostAsync($"/api/v1/offers/{sale.OfferId}/order-tokens", $"{tag}-a")).Status == HttpStatusCode.Forbidden
                && (await shop.PostAsync($"/api/v1/offers/{sale.OfferId}/order-tokens", "adam", address)).Status == HttpStatusCode.Forbidden,
            "the imported are barred");

        var exported = (await shop.AdminAsync(HttpMethod.Get, "blacklist-entries")).Expect(HttpStatusCode.OK);
        Assert.Equal("application/x-ndjson", exported.MediaType);
        var entries = exported.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Contains(tag, StringComparison.Ordinal) || line.Contains(address, StringComparison.Ordinal)).ToArray();
        Assert.Equal(4, entries.Length);
        Assert.Equal("机器人 \"1\"", JsonElement.Parse(entries[0]).GetProperty("reason").GetString());
        Assert.Equal("""{"added":0,"changed":0,"unchanged":4,"expired":0}""", (await shop.ImportAsync(entries)).Expect(HttpStatusCode.OK).Body);
        foreach (var entry in entries.Select(line => JsonElement.Parse(line)))
        {
            var subject = entry.GetProperty("subject").GetString();
            await shop.LiftAsync(entry.GetProperty("kind").GetString() switch { "user" => subject!, "device" => "devices/" + subject, _ => "addresses/" + subject });
        }

        Assert.Equal("""{"added":4,"changed":0,"unchanged":0,"expired":0}""", (await shop.ImportAsync(entries)).Expect(HttpStatusCode.OK).Body);
        var audit = (await shop.AdminAsync(HttpMethod.Get, "audit")).Json.GetProperty("items")[0];
        Assert.Equal("blacklist.import", audit.GetProperty("action").GetString());
        Assert.Contains($"user/{tag}-a", audit.GetProperty("after").GetString(), StringComparison.Ordinal);
        await shop.LiftAsync("addresses/" + address);
        await shop.LiftAsync("devices/00000000000000cd");
    }

    [Fact]
    public async Task Import_WithLinesThatAreNoGood_NamesEachAndWritesNothing()
    {
        string[] lines =
        [
            """{"kind":"user","subject":"import-good","reason":"bot","source":"manual"}""",
            "not JSON",
            """["kind"]""",
            """{"kind":"planet","subject":"mars","reason":"bot","source":"manual"}""",
            """{"kind":"address","subject":"10.0.0.0/4","reason":"bot","source":"manual"}""",
            """{"kind":"device","subject":"xyz","reason":"","source":"manual","expiresAt":"tomorrow"}""",
            """{"subject":"import-good","reason":"bot","source":"manual"}""",
            """{"kind":"user","subject":"\ud800","reason":"bot","source":"manual"}""",
            """{"kind":"user","subject":"import-good","reason":"again","source":"manual"}""",
            """{"kind":"address","subject":"203.0.113.9/24","reason":"bot","source":"manual"}""",
            """{"kind":"address","subject":"203.0.113.0/24","reason":"bot","source":"manual"}""",
            string.Concat(Enumerable.Repeat("[", 2_000)),
        ];

        var refused = (await shop.ImportAsync(lines)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");

        var errors = refused.Json.GetProperty("errors").EnumerateObject().ToDictionary(error => error.Name, error => error.Value.EnumerateArray().Select(text => text.GetString()!).ToList());
        Assert.Equal([2, 3, 4, 5, 6, 7, 8, 9, 11, 12], errors.Keys.Select(name => int.Parse(name["line ".Length..])).Order());
        Assert.Equal(3, errors["line 6"].Count);
        Assert.Contains("no wider than /8", errors["line 5"].Single(), StringComparison.Ordinal);
        Assert.Equal("is about the same as line 10", errors["line 11"].Single());
        (await shop.AdminAsync(HttpMethod.Get, "blacklist/import-good")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await shop.ImportAsync([])).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        (await shop.AdminAsync(HttpMethod.Post, "blacklist-entries", new StringContent("{}"))).ExpectProblem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        (await shop.ImportAsync([new string(' ', Limits.BlacklistImportBytes + 1)])).ExpectProblem(HttpStatusCode.RequestEntityTooLarge, "body-too-large");
    }

    [Fact]
    public async Task Import_OfTenThousandLines_IsTakenAtOnce_AndNotOneMore()
    {
        var tag = $"m{Guid.NewGuid():N}"[..8];
        var lines = Enumerable.Range(0, Limits.BlacklistImportLines).Select(i => (i % 10) switch
        {
            0 => Line("address", $"10.{i / 2_560}.{i / 10 % 256}.0/24"),
            1 => Line("device", $"{i + 1:x16}"),
            _ => Line("user", $"{tag}-{i}"),
        }).ToList();
        (await shop.ImportAsync(lines.Append(Line("user", tag)))).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");

        Assert.Equal($$"""{"added":{{lines.Count}},"changed":0,"unchanged":0,"expired":0}""", (await shop.ImportAsync(lines)).Expect(HttpStatusCode.OK).Body);

        // All of them, page by page, in their order, and each kind by itself.
        var listed = await ListAsync("blacklist?kind=address");
        Assert.Equal(1_000, listed.Count(entry => entry.GetProperty("source").GetString() == tag));
        Assert.Equal(listed.Select(entry => entry.GetProperty("subject").GetString()!).Order(StringComparer.Ordinal), listed.Select(entry => entry.GetProperty("subject").GetString()!));
        var first = (await shop.AdminAsync(HttpMethod.Get, "blacklist")).Expect(HttpStatusCode.OK).Json;
        Assert.Equal(50, first.GetProperty("items").GetArrayLength());
        Assert.StartsWith("user:", first.GetProperty("nextCursor").GetString(), StringComparison.Ordinal);
        var lastUser = (await shop.AdminAsync(HttpMethod.Get, "blacklist?cursor=user:zzzz")).Expect(HttpStatusCode.OK).Json.GetProperty("items");
        Assert.Contains("device", lastUser.EnumerateArray().Select(entry => entry.GetProperty("kind").GetString()));
        foreach (var (query, field) in new[] { ("kind=planet", "kind"), ("cursor=x", "cursor"), ("cursor=user:a%20b", "cursor"), ("kind=device&cursor=user:a", "cursor"), ("cursor=address:1", "cursor") })
        {
            var refused = (await shop.AdminAsync(HttpMethod.Get, "blacklist?" + query)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
            Assert.True(refused.Json.GetProperty("errors").TryGetProperty(field, out _), refused.Body);
        }

        // A gateway is told of the ranges.
        using var client = shop.Server.Anonymous();
        await Eventually.HoldsAsync(
            async () => JsonNode.Parse(await client.GetStringAsync(new Uri("/edge/state", UriKind.Relative)))!["barredAddresses"]?.AsArray().Count >= 1_000, "the gateway's document has them");
        // Run out: nobody is left barred for the other tests.
        Assert.Contains("\"expired\":0", (await shop.ImportAsync(lines.Select(line => line.Replace("}", ",\"expiresAt\":\"" + ConsoleServer.Rfc3339(TimeProvider.System.GetUtcNow().AddSeconds(20)) + "\"}", StringComparison.Ordinal)))).Body, StringComparison.Ordinal);

        string Line(string kind, string subject) => $$"""{"kind":"{{kind}}","subject":"{{subject}}","reason":"bots","source":"{{tag}}"}""";
    }

    private async Task<List<JsonElement>> ListAsync(string path)
    {
        List<JsonElement> all = [];
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await shop.AdminAsync(HttpMethod.Get, path + (cursor.Length > 0 ? "&cursor=" + Uri.EscapeDataString(cursor) : ""))).Expect(HttpStatusCode.OK).Json;
            all.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.GetProperty("nextCursor").GetString();
        }

        return all;
    }
}
