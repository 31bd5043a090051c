namespace FlashSale.Tests.Planted;

/// <summary>A bug, and the test that has to find it.</summary>
/// <param name="Name">What is wrong, in words.</param>
/// <param name="Catcher">Full name of the method; every case of a theory counts.</param>
internal sealed record Plant(string Name, string Catcher, params IReadOnlyList<Edit> Edits)
{
    /// <summary>One of these stands in the message of the failure, where a test could fail for many reasons.</summary>
    public IReadOnlyList<string> Because { get; init; } = [""];
}

/// <param name="File">From the root of the repository.</param>
/// <param name="Find">Stands in the file exactly once; when it does not any more, the plant must be renewed.</param>
internal sealed record Edit(string File, string Find, string Replacement);

/// <summary>
/// Bugs that shops of this kind have shipped, each planted into the order path of this one. A suite that cannot find them proves nothing when it passes.
/// </summary>
internal static class Plants
{
    private const string Gate = "src/Storage/Memory/MemoryGate.cs";
    private const string Orders = "src/Storage/Sqlite/SqliteLedger.Orders.cs";
    private const string WriteThread = "src/Storage/Sqlite/SqliteWriteThread.cs";
    private const string Schema = "src/Storage/Sqlite/Migrations/0001_ledger.sql";
    private const string Lane = "src/Server/Orders/WriterLane.cs";
    private const string Tokens = "src/Core/Tokens/OrderTokens.cs";
    private const string Commit = "            writing.Execute(\"COMMIT\");";

    // Orders only: were it all that is written, the server's own check of the ledger would notice, and it would never be ready.
    private const string ReplyEarly =
        """
                    foreach (var order in batch.OfType<WriteJob<PlacementBatch>>().ToArray())
                    {
                        order.Complete();
                        batch.Remove(order);
                    }


        """;

    /// <summary>At the end; or when its owner looked for it, before the same token placed it again.</summary>
    private static readonly string[] LostOrder = ["VIOLATED: I2", ": 404 not-found, effect none, order "];

    private const string LedgerTests = "FlashSale.Tests.Storage.SqliteLedgerTests.";
    private const string GateTests = "FlashSale.Tests.Storage.MemoryGateTests.";
    private const string WriterTests = "FlashSale.Tests.Server.Orders.LedgerWriterTests.";
    private const string TokenTests = "FlashSale.Tests.Core.Tokens.OrderTokensTests.";

    public static IReadOnlyList<Plant> All { get; } =
    [
        new(
            "reply before commit",
            "FlashSale.Tests.Crash.KillTests.Kill_InTheMiddleOfASale_KeepsEveryPromise",
            new Edit(WriteThread, Commit, ReplyEarly + "            Thread.Sleep(50);\n" + Commit))
        {
            Because = LostOrder,
        },
        new(
            "reply by position",
            WriterTests + "SubmitAsync_WhenTheLedgerReturnsItsResultsInAnotherOrder_GivesEachShopperTheirOwn",
            new Edit(
                Lane,
                "        foreach (var order in orders)\n        {\n            var result = results[order.Draft.Id];",
                "        var at = 0;\n        foreach (var order in orders)\n        {\n            var result = results.Values.ElementAt(at++);")),
        new(
            "check, then act: the gate",
            GateTests + "AdmitAsync_FromManyThreads_NeverAdmitsMoreThanThereIsOrTwiceAUser",
            new Edit(
                Gate,
                "            lock (step)\n            {\n                if (orders.ContainsKey(request.OrderId))",
                """
                            int seenLive;
                            int seenPending;
                            lock (step)
                            {
                                seenLive = livePerUser.GetValueOrDefault(request.UserId);
                                seenPending = pending;
                            }

                            Thread.Sleep(1);
                            lock (step)
                            {
                                if (orders.ContainsKey(request.OrderId))
                """),
            new Edit(Gate, "livePerUser.GetValueOrDefault(request.UserId) >= perUserLimit", "seenLive >= perUserLimit"),
            new Edit(Gate, "ledgerAvailable <= pending)", "ledgerAvailable <= seenPending)")),
        new(
            "check, then act: the stock read outside of the transaction",
            LedgerTests + "PlaceAsync_WhenManyWantFew_ExactlyTheStockIsSold",
            new Edit(
                Orders,
                "static all => all.ledger.writes.RunAsync(session => all.ledger.Place(session, all.drafts), all.cancellation)",
                """
                static async all =>
                        {
                            var seen = await all.ledger.readers.ReadAsync(session => ReadStock(session, [.. all.drafts.Select(draft => draft.OfferId).Distinct()]), all.cancellation);
                            return await all.ledger.writes.RunAsync(
                                session => all.ledger.Place(session, all.drafts, seen.ToDictionary(stock => stock.OfferId, stock => stock.Row.Available)), all.cancellation);
                        }
                """),
            new Edit(
                Orders,
                "Place(SqliteSession session, IReadOnlyList<OrderDraft> drafts)",
                "Place(SqliteSession session, IReadOnlyList<OrderDraft> drafts, Dictionary<OfferId, long> seen)"),
            new Edit(Orders, "PlaceOne(session, insert, line, draft, now);", "PlaceOne(session, insert, line, draft, now, seen[draft.OfferId]--);"),
            new Edit(Orders, "OrderDraft draft, DateTimeOffset now)", "OrderDraft draft, DateTimeOffset now, long seen)"),
            new Edit(Orders, "var sold = line.Row.Available == 0;", "var sold = seen <= 0;")),
        new(
            "the limit per user is not in the index",
            LedgerTests + "PlaceAsync_WhenFiftyOrdersOfOneUserComeAtOnce_TheLimitHolds",
            new Edit(Schema, "CREATE UNIQUE INDEX orders_by_user", "CREATE INDEX orders_by_user")),
        new(
            "stock returned twice",
            LedgerTests + "CancelAsync_WhenAskedInEachState_SaysWhatHappened",
            new Edit(
                "src/Core/Orders/OrderLifeCycle.cs",
                "(OrderStatus.Cancelled, OrderEvent.CancelAsked) => Repeated(status),",
                "(OrderStatus.Cancelled, OrderEvent.CancelAsked) => Moves(OrderStatus.Cancelled, StockChangeKind.Release),"),
            new Edit(Schema, "CREATE UNIQUE INDEX stock_changes_by_order", "CREATE INDEX stock_changes_by_order")),
        new(
            "the token is not bound to its user",
            TokenTests + "Verify_WhenAnotherUsers_IsRejected",
            new Edit(Tokens, "if (!Ascii.Equals(bytes[HeadBytes..signed], user.Value))", "if (user.Value.Length == 0)")),
        new(
            "a batch is not cut to the stock that is left",
            LedgerTests + "PlaceAsync_WhenManyWantFew_ExactlyTheStockIsSold",
            new Edit(Orders, "var sold = line.Row.Available == 0;", "var sold = false;")),
        new(
            "an unknown outcome is told as a failure",
            WriterTests + "SubmitAsync_WhenTheCommitHappenedAndItsAnswerWasLost_AnswersWithTheOrder",
            new Edit(Lane, "when (exception is LedgerOutcomeUnknownException || (unknown", "when (unknown || (unknown"),
            new Edit(Lane, "            _ => OrderDecision.OutcomeUnknown,", "            _ => OrderDecision.LedgerUnavailable,")),
        new(
            "a unit is given back while its outcome is unknown",
            WriterTests + "SubmitAsync_WhenTheLedgerBreaksInAWayNobodyExpected_CallsTheOutcomeUnknownAndGoesOn",
            new Edit(Lane, "if (order.Admitted && decision != OrderDecision.OutcomeUnknown)", "if (order.Admitted)")),
        new(
            "sold out while orders are only pending",
            GateTests + "AdmitAsync_UntilTheStockIsPending_AdmitsThenStandsBy",
            new Edit(Gate, "return ledgerAvailable == 0 ? AdmissionOutcome.SoldOut : AdmissionOutcome.Standby;", "return AdmissionOutcome.SoldOut;")),
        new(
            "the minimum age of a token is not checked",
            TokenTests + "Verify_AtTheBoundsOfItsAge_IsExactToTheMillisecond",
            new Edit(Tokens, "if (age < (long)ages.Minimum.TotalMilliseconds)", "if (age < 0)")),
    ];
}
