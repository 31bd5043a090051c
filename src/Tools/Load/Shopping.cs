using System.Collections.Concurrent;

using FlashSale.Tools.History;

namespace FlashSale.Tools.Load;

/// <summary>How an honest shopper behaves. <paramref name="stopping"/> ends every wait, never a call that is on its way.</summary>
internal sealed class Shopping(ShopClient shop, RunClock clock, Metrics metrics, LoadSettings settings, CancellationToken stopping)
{
    /// <summary>A token has to be 1 s old; a little more for the clocks.</summary>
    public const long TokenAge = 1_100_000;
    private const long ComeBackAfter = 500_000;
    private const long ReadEvery = 100_000;
    private const long BackOffMax = 2_000_000;
    private const int PrepareAttempts = 20;
    private const int RepeatsOfABot = 20;

    private static readonly byte[] PaidForm = "status=paid"u8.ToArray();

    private readonly Uri orders = new(settings.Target, "/api/v1/orders");

    /// <summary>Shoppers who were told "sold out" and would come back.</summary>
    public ConcurrentQueue<Entry> Waiting { get; } = new();

    /// <summary>Before the opening: reserve where the sale asks for it, wait to be approved, get an order token.</summary>
    public async Task PrepareAsync(Entry entry, long at, bool reserves, int tokens)
    {
        if (entry.Sale.RequiresReservation && reserves && !await ReserveAsync(entry, at))
        {
            metrics.Note("shoppers without a reservation");
            return;
        }

        for (var i = 0; i < tokens; i++)
        {
            await GetTokenAsync(entry, Math.Max(at, clock.Now));
        }
    }

    private async Task<bool> ReserveAsync(Entry entry, long at)
    {
        var reserved = false;
        for (var attempt = 0; attempt < PrepareAttempts; attempt++)
        {
            var call = reserved
                ? new Call(HistoryOps.Reservation, HttpMethod.Get, entry.Sale.ReservationUri, entry.User, at)
                : new Call(HistoryOps.Reserve, HttpMethod.Post, entry.Sale.ReservationsUri, entry.User, at);
            var answer = await shop.SendAsync(call with { Sale = entry.Sale.Id });
            if (answer.IsSuccess && answer.State != "pending")
            {
                return answer.State == "approved";
            }

            if (!answer.IsSuccess && !IsPassing(answer))
            {
                return false;
            }

            reserved |= answer.IsSuccess;
            at = await WaitAsync(answer, attempt);
        }

        return false;
    }

    public async Task<HeldToken?> GetTokenAsync(Entry entry, long at)
    {
        for (var attempt = 0; attempt < PrepareAttempts; attempt++)
        {
            var asked = clock.Now;
            var answer = await shop.SendAsync(TokenCall(entry, at));
            if (answer.Token is { } text)
            {
                var token = HeldToken.Of(text, asked, clock.Now + TokenAge);
                entry.Tokens.Add(token);
                return token;
            }

            if (!IsPassing(answer))
            {
                break;
            }

            at = await WaitAsync(answer, attempt);
        }

        metrics.Note("shoppers without a token");
        return null;
    }

    public static Call TokenCall(Entry entry, long at) =>
        new(HistoryOps.Token, HttpMethod.Post, entry.Offer.TokensUri, entry.User, at) { Sale = entry.Sale.Id, Offer = entry.Offer.Id };

    public Call OrderCall(Entry entry, HeldToken token, long at) =>
        new(HistoryOps.Order, HttpMethod.Post, orders, entry.User, at)
        {
            Body = token.Body,
            Sale = entry.Sale.Id,
            Offer = entry.Offer.Id,
            Token = token.Fingerprint,
        };

    /// <summary>Submits the same token until there is a final answer, and does with an order what this shopper does with it.</summary>
    public async Task BuyAsync(Entry entry, long at)
    {
        var token = entry.Tokens.Count > 0 ? entry.Tokens[0] : await GetTokenAsync(entry, at);
        if (token is null)
        {
            return;
        }

        at = Math.Max(at, token.UsableAt);
        await clock.DelayUntil(at, stopping);
        for (var attempt = 0; ; attempt++)
        {
            var answer = await shop.SendAsync(OrderCall(entry, token, at));
            if (answer is { IsSuccess: true, Id: { } order })
            {
                await EndAsync(entry, token, order, answer.State);
                return;
            }

            if (answer.Code == "sold-out")
            {
                ComeBackLater(entry);
                return;
            }

            if (!IsPassing(answer))
            {
                metrics.Note($"shoppers refused: {answer.Code ?? answer.Status.ToString()}");
                return;
            }

            at = await WaitAsync(answer, attempt);
        }
    }

    public void ComeBackLater(Entry entry)
    {
        entry.Offer.CountSoldOut();
        entry.NotBefore = clock.Now + ComeBackAfter;
        Waiting.Enqueue(entry);
    }

    /// <summary>Pays, cancels or lets expire; returns when the order has come to its end.</summary>
    /// <returns>How it ended; null when nobody knows.</returns>
    public async Task<string?> EndAsync(Entry entry, HeldToken token, string order, string? state)
    {
        entry.Offer.CountPlaced();
        for (var i = 0; entry.User.Bot == BotKind.Repeater && i < RepeatsOfABot; i++)
        {
            await shop.SendAsync(OrderCall(entry, token, clock.Now));
        }

        if (state is "held" or null)
        {
            await clock.DelayUntil(clock.Now + entry.ThinkTime, stopping);
            state = entry.Fate switch
            {
                Fate.Pays => await PayAsync(entry, order),
                Fate.Cancels => await CancelAsync(entry, token, order),
                _ => await ReadUntilAsync(entry, order, clock.Now + (long)settings.PaymentWindow.TotalMicroseconds - entry.ThinkTime, state => state != "held"),
            };
        }

        if (state == "paid")
        {
            entry.Offer.CountPaid();
        }

        metrics.Note($"orders ended: {state ?? "unknown"}");
        return state;
    }

    private async Task<string?> PayAsync(Entry entry, string order)
    {
        var uri = new Uri(orders, $"/api/v1/orders/{order}/payments");
        var answer = await PersistAsync(at => OnOrder(HistoryOps.Pay, HttpMethod.Post, uri, entry, order, at));
        if (answer is { IsSuccess: true, PayUrl: { } payUrl })
        {
            // The shopper's browser goes to the provider without the shop's session.
            await PersistAsync(at => OnOrder(HistoryOps.PayPage, HttpMethod.Post, new Uri(orders, payUrl), entry, order, at) with
            {
                Body = PaidForm,
                IsForm = true,
                Authorization = "",
            });
        }

        return await ReadUntilAsync(entry, order, clock.Now, state => state != "held");
    }

    private async Task<string?> CancelAsync(Entry entry, HeldToken token, string order)
    {
        var uri = new Uri(orders, $"/api/v1/orders/{order}/cancellation");
        var answer = await PersistAsync(at => OnOrder(HistoryOps.Cancel, HttpMethod.Post, uri, entry, order, at));
        if (answer.IsSuccess)
        {
            // The same token still yields the same order, now cancelled.
            await shop.SendAsync(OrderCall(entry, token, clock.Now));
            return answer.State;
        }

        return await ReadUntilAsync(entry, order, clock.Now, state => state != "held");
    }

    private async Task<string?> ReadUntilAsync(Entry entry, string order, long at, Func<string?, bool> done)
    {
        var uri = new Uri(orders, $"/api/v1/orders/{order}");
        for (var wait = ReadEvery; ; wait = Math.Min(wait * 2, BackOffMax))
        {
            await clock.DelayUntil(at, stopping);
            var answer = await shop.SendAsync(OnOrder(HistoryOps.Read, HttpMethod.Get, uri, entry, order, at));
            if (answer.IsSuccess && done(answer.State))
            {
                return answer.State;
            }

            if (!answer.IsSuccess && !IsPassing(answer))
            {
                return null;
            }

            at = clock.Now + wait;
        }
    }

    private static Call OnOrder(string op, HttpMethod method, Uri uri, Entry entry, string order, long at) =>
        new(op, method, uri, entry.User, at) { Sale = entry.Sale.Id, Offer = entry.Offer.Id, Order = order };

    private async Task<Answer> PersistAsync(Func<long, Call> call)
    {
        var at = clock.Now;
        for (var attempt = 0; ; attempt++)
        {
            var answer = await shop.SendAsync(call(at));
            if (!IsPassing(answer))
            {
                return answer;
            }

            at = await WaitAsync(answer, attempt);
        }
    }

    /// <summary>Whether the same request may be answered better later.</summary>
    public static bool IsPassing(Answer answer) =>
        answer.Status is 0 or 429 or >= 500 || answer.Code == "sale-not-open";

    /// <returns>When the next attempt is due: as the server asked, or backing off from 100 ms, with jitter so that they do not all come at once.</returns>
    public async Task<long> WaitAsync(Answer answer, int attempt)
    {
        var wait = answer.RetryAfterMs is { } asked
            ? asked * 1_000
            : Math.Min(BackOffMax, 100_000L << Math.Min(attempt, 10));
        if (answer.OpensAt is { } opens)
        {
            wait = Math.Max(20_000, RunClock.FromTime(opens) - clock.Now);
        }

        var due = clock.Now + wait + Random.Shared.NextInt64((wait / 4) + 50_000);
        await clock.DelayUntil(due, stopping);
        return due;
    }
}
