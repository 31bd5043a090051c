using System.Security.Cryptography;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Server.Http;
using FlashSale.Storage;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Bench;

/// <summary>Keys shared by the servers and the crowd.</summary>
public sealed class BenchKeys
{
    public byte[] Auth { get; } = RandomNumberGenerator.GetBytes(32);
    public byte[] Tokens { get; } = RandomNumberGenerator.GetBytes(32);
    public string AuthText => Convert.ToBase64String(Auth);
    public string TokensText => Convert.ToBase64String(Tokens);
}

/// <summary>Sales that are written into a ledger file before its server starts, and requests to order from them.</summary>
public static class BenchSale
{
    public const int Users = 20_000;

    public static string NewDirectory() => Directory.CreateTempSubdirectory("flashsale-bench-").FullName;

    public static string LedgerFile(string data) => Path.Combine(data, "flashsale.db");

    /// <summary>A sale that is open for an hour.</summary>
    public static async Task<Sale> CreateAsync(ILedger ledger, int number, int stock, bool requiresReservation, DateTimeOffset opensAt, int offers = 1)
    {
        var now = TimeProvider.System.GetUtcNow();
        var actor = Actor.System("bench");
        var draft = await ledger.CreateSaleAsync(
            new Sale
            {
                Slug = $"bench-{number}",
                Title = new LocalizedText("压测", "Bench"),
                OpensAt = opensAt,
                ClosesAt = opensAt.AddHours(1),
                ReservationOpensAt = requiresReservation ? now.AddHours(-1) : null,
                ReservationClosesAt = requiresReservation ? opensAt : null,
                RequiresReservation = requiresReservation,
                PaymentWindow = TimeSpan.FromHours(1),
                Offers = [.. Enumerable.Range(0, offers).Select(i => new Offer
                {
                    Sku = $"bench-{i}",
                    Title = new LocalizedText("压测", "Bench"),
                    FaceValue = Money.Cny(3_000_000),
                    Price = Money.Cny(9_900),
                    Stock = stock,
                    PerUserLimit = Limits.PerUserLimitMax,
                    ValidFrom = now,
                    ValidUntil = now.AddYears(1),
                })],
            },
            actor,
            CancellationToken.None) ?? throw new InvalidOperationException("The slug is taken.");
        return await ledger.UpdateSaleAsync(draft with { Status = SaleStatus.Published }, draft.Rev, "sale.publish", actor, CancellationToken.None)
            ?? throw new InvalidOperationException("The sale was changed.");
    }

    public static async Task<Sale> CreateInFileAsync(string data, int stock)
    {
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(LedgerFile(data)), TimeProvider.System, CancellationToken.None);
        return await CreateAsync(ledger, 1, stock, requiresReservation: false, TimeProvider.System.GetUtcNow().AddMinutes(-1));
    }

    /// <summary>Requests with a token each, by <see cref="Users"/> users in turn, ten a user.</summary>
    /// <param name="sales">Each user orders from one of them; the users take turns.</param>
    /// <param name="keys">Of tokens and sessions.</param>
    /// <param name="repeat">After the last one begin again, where no order is placed; else the run ends.</param>
    /// <param name="inOrder">
    /// The tokens come back in the order in which they were made, a millisecond apart, as from a crowd that comes and goes; else all were made in the same
    /// millisecond, so that the ids of the orders arrive in no order at all.
    /// </param>
    /// <param name="part">Which of <paramref name="parts"/> parts of the users, each with its requests.</param>
    /// <param name="parts">A user comes to the same instance each time, as behind most balancers.</param>
    public static Func<byte[]?> Requests(IReadOnlyList<Sale> sales, BenchKeys keys, bool repeat, bool inOrder = true, int part = 0, int parts = 1)
    {
        var count = Users / parts * Limits.PerUserLimitMax;
        var time = TimeProvider.System;
        var sessions = new Sessions(keys.Auth, time);
        var tokens = new OrderTokens(keys.Tokens, [], TokenAges.Default);
        var users = Enumerable.Range(0, Users).Select(i => UserId.Parse($"user-{i}")).ToArray();
        var jwts = users.Select(user => sessions.Create(user, [], TimeSpan.FromHours(1))).ToArray();
        var last = time.GetUtcNow().AddSeconds(-5);
        var requests = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            var user = (i % (Users / parts)) + (part * (Users / parts));
            var sale = sales[user % sales.Count];
            var issuedAt = inOrder ? last.AddMilliseconds(i - count) : last;
            var token = tokens.Create(new OrderToken(issuedAt, OrderId.Create(issuedAt), sale.Id, sale.Offers[0].Id, users[user]));
            requests[i] = Crowd.OrderRequest(jwts[user], token);
        }

        var at = -1;
        return () => Interlocked.Increment(ref at) is var next && (repeat || next < count) ? requests[next % count] : null;
    }
}
