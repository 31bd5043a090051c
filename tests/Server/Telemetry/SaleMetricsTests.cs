using System.Net;

using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Telemetry;

/// <summary>What the metrics say of a sale, and that Prometheus takes them as they are.</summary>
public sealed class SaleMetricsTests
{
    private const string Commits = "flashsale_order_stage_duration_seconds_count{stage=\"commit\"}";

    [Fact]
    public async Task Scrape_AfterASaleWithEverything_IsAcceptedByPromtool()
    {
        await using var server = await StartAsync();
        var sale = await ShopSale.OpenAsync(server, new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(5) });
        await sale.NewShopper().ReserveAsync();
        var open = await ShopSale.OpenAsync(server, new ShopTerms());
        await open.NewShopper().BuyAsync();
        (await open.NewShopper().SubmitAsync("forged")).ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");

        var scrape = await Scrape.OfAsync(server);

        Assert.Equal("", await scrape.CheckAsync());
        Assert.NotNull(scrape[Commits]);
        Assert.NotNull(scrape["flashsale_risk_score_count"]);
        Assert.Equal(1, scrape["flashsale_reservations_total{status=\"approved\"}"]);
        Assert.Equal(1, scrape["flashsale_token_rejections_total{reason=\"malformed\"}"]);
        Assert.Contains("metric names should not contain abbreviated units", await new Scrape(scrape.Text + "# HELP x_ms X\n# TYPE x_ms gauge\nx_ms 1\n").CheckAsync(), StringComparison.Ordinal);
    }

    /// <summary>A collector that first sees a series with the burst in it takes the burst for something that was always there.</summary>
    [Fact]
    public async Task Scrape_BeforeTheFirstOrder_SaysThatThereWasNone()
    {
        await using var server = await StartAsync();
        var sale = await ShopSale.OpenAsync(server, new ShopTerms { OpensIn = TimeSpan.FromMinutes(5) });

        var scrape = await Scrape.OfAsync(server);

        Assert.Equal(0, scrape[$"flashsale_sale_decisions_total{{layer=\"ledger\",outcome=\"admitted\",reason=\"placed\",sale=\"{sale.Id}\"}}"]);
        Assert.Equal(0, scrape["flashsale_order_duration_seconds_count"]);
        Assert.Equal(0, scrape["flashsale_order_stage_duration_seconds_bucket{stage=\"gate\",le=\"+Inf\"}"]);
        Assert.Equal(0, scrape["flashsale_ledger_commit_duration_seconds_count"]);
    }

    [Fact]
    public async Task Scrape_OfARunningSale_SaysWhereItsUnitsAre()
    {
        await using var server = await StartAsync();
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 10));
        await sale.NewShopper().BuyAsync();
        await sale.NewShopper().OrderAsync();
        await sale.NewShopper().OrderAsync();

        await Eventually.HoldsAsync(
            async () => (await Scrape.OfAsync(server))[Units(sale, "gate_stock")] == 7 && (await Scrape.OfAsync(server))[Units(sale, "gate_pending")] == 0, "reconciliation sees the gate");
        var scrape = await Scrape.OfAsync(server);

        Assert.Equal((7, 2, 1), (scrape[Units(sale, "ledger_available")], scrape[Units(sale, "ledger_held")], scrape[Units(sale, "ledger_sold")]));
        Assert.Equal(0, scrape[$"flashsale_offer_drift_units{{offer=\"{sale.OfferId}\",sale=\"{sale.Id}\"}}"]);
        Assert.Equal(0, scrape[$"flashsale_offer_oversold_units{{offer=\"{sale.OfferId}\",sale=\"{sale.Id}\"}}"]);
        Assert.Equal(1, scrape[$"flashsale_sale_phase{{phase=\"open\",sale=\"{sale.Id}\"}}"]);
        Assert.Equal(0, scrape[$"flashsale_sale_phase{{phase=\"paused\",sale=\"{sale.Id}\"}}"]);
        Assert.Equal(1, scrape[$"flashsale_sale_warm{{sale=\"{sale.Id}\"}}"]);
        Assert.InRange(scrape[$"flashsale_sale_opens_in_seconds{{sale=\"{sale.Id}\"}}"]!.Value, -120, 0);
        Assert.All(["checks", "gate", "queue", "commit", "reply"], stage => Assert.Equal(3, scrape[$"flashsale_order_stage_duration_seconds_count{{stage=\"{stage}\"}}"]));
        Assert.True(scrape["db_client_operation_duration_seconds_count{db_operation_name=\"place\",db_system_name=\"sqlite\"}"] >= 1);
        Assert.Contains(scrape.Lines, line => line.StartsWith("flashsale_build_info{roles=\"storefront,orders,risk,console,jobs\",version=\"", StringComparison.Ordinal));
        await sale.HaltAsync("pause");
        Assert.Equal(1, (await Scrape.OfAsync(server))[$"flashsale_sale_phase{{phase=\"paused\",sale=\"{sale.Id}\"}}"]);
    }

    /// <summary>Nobody must be able to fill a time-series database by coming often, or from many places.</summary>
    [Fact]
    public async Task Scrape_AfterTwoThousandUsersAndAddresses_HasAsManySeriesAsAfterTwenty()
    {
        await using var server = await TestServer.StartAsync(
            ("FlashSale__Limits__Enabled", "true"), ("FlashSale__TrustedProxies", "127.0.0.0/8"), ("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 5));
        var client = server.Anonymous();
        await ComeAsync(0, 10);
        await ComeAsync(10, 20);
        await Eventually.HoldsAsync(async () => (await Scrape.OfAsync(server))[Units(sale, "gate_stock")] is not null, "reconciliation sees the gate");
        var before = await Scrape.OfAsync(server);

        await ComeAsync(20, 2_020);
        var after = await Scrape.OfAsync(server);

        Assert.Equal(before.Series, after.Series);
        Assert.DoesNotContain("crowd-", after.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("198.18.", after.Text, StringComparison.Ordinal);
        Assert.True(after["flashsale_requests_total{kind=\"order\"}"] >= 2_010);

        Task ComeAsync(int from, int to) => Parallel.ForAsync(from, to, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
        {
            var session = server.CreateSession($"crowd-{number}");
            var token = await AskAsync(number, session, $"/api/v1/offers/{sale.OfferId}/order-tokens", null);
            await AskAsync(number, session, "/api/v1/orders", token.Expect(HttpStatusCode.Created).Text("token"));
            await AskAsync(number, session, "/api/v1/orders", $"forged-{number}");
        });

        async Task<Reply> AskAsync(int number, string session, string path, string? token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
            request.Content = token is null ? null : System.Net.Http.Json.JsonContent.Create(new { token });
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", $"198.18.{number / 250}.{number % 250 + 1}");
            using var response = await client.SendAsync(request);
            return await Reply.ReadAsync(response);
        }
    }

    [Fact]
    public async Task Scrape_WithTelemetryOff_IsNotThereAndOrdersArePlacedAllTheSame()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Telemetry__Enabled", "false"), ("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms());

        await sale.NewShopper().BuyAsync();

        (await sale.SendAsync(HttpMethod.Get, "/metrics", session: null)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public void Overdue_WhileNobodyEndsTheOrder_GrowsByItself()
    {
        var time = new ManualTime();
        using var metrics = new SaleMetrics();
        var watch = new SaleWatch(metrics, new SaleCatalog(), null!, time);
        Assert.Equal(TimeSpan.Zero, watch.Overdue);

        watch.NoteFirstPayBefore(time.GetUtcNow() + TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.Zero, watch.Overdue);
        time.Advance(TimeSpan.FromSeconds(70));
        Assert.Equal(TimeSpan.FromSeconds(60), watch.Overdue);
        watch.NoteFirstPayBefore(null);
        Assert.Equal(TimeSpan.Zero, watch.Overdue);
    }

    /// <summary>A ledger that is closed: its calls fail, and each is counted.</summary>
    [Fact]
    public async Task LedgerFailures_WhenACallFails_AreCounted()
    {
        using var folder = new TemporaryFolder();
        var ledger = await FlashSale.Storage.Sqlite.SqliteLedger.OpenAsync(new FlashSale.Storage.Sqlite.SqliteLedgerOptions(folder.File("ledger.db")), TimeProvider.System, default);
        await ledger.DisposeAsync();
        using var metrics = new SaleMetrics();
        using var scrape = new MetricsScrape(metrics);
        const string Failures = "flashsale_ledger_failures_total{kind=\"unavailable\"}";
        var before = new Scrape(scrape.Read())[Failures]!.Value;

        await Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.PlaceAsync([], default));

        var after = new Scrape(scrape.Read());
        Assert.True(after[Failures] > before);
        Assert.NotNull(after["db_client_operation_duration_seconds_count{db_operation_name=\"place\",db_system_name=\"sqlite\",error_type=\"unavailable\"}"]);
    }

    /// <summary>A process that lives through more sales than a metric has room for goes on telling of the last ones.</summary>
    [Fact]
    public void Scrape_WhenMoreLabelSetsCameThanAMetricHas_BeginsAnew()
    {
        using var meter = new System.Diagnostics.Metrics.Meter(SaleMetrics.MeterName);
        var first = 0;
        meter.CreateObservableGauge("flashsale.test.things", () => Enumerable.Range(first, 1_000).Select(i =>
            new System.Diagnostics.Metrics.Measurement<long>(i, new KeyValuePair<string, object?>("thing", i))));
        using var metrics = new SaleMetrics();
        using var scrape = new MetricsScrape(metrics);
        for (; first < 10_000; first += 1_000)
        {
            Assert.Equal(first + 999, new Scrape(scrape.Read())[$"flashsale_test_things{{thing=\"{first + 999}\"}}"]);
        }
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));

    private static string Units(ShopSale sale, string state) => $"flashsale_offer_units{{offer=\"{sale.OfferId}\",sale=\"{sale.Id}\",state=\"{state}\"}}";
}
