using FlashSale.Tools.Load;

namespace FlashSale.Tests.Crash;

internal enum Fate
{
    Pays,
    Cancels,
    LetsExpire,
}

/// <summary>
/// The shoppers of a sale, all at once. Each keeps one token and sends it until the answer is final, over every restart; who is told "sold out" comes back as long as
/// units may. What an order is meant for is carried on to its end: paid, cancelled or expired.
/// </summary>
internal sealed class Crowd(RecordedShop shop, int seed)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan ComeBackAfter = TimeSpan.FromMilliseconds(100);
    private readonly Random random = new(seed);

    /// <param name="perOffer">Shoppers of each offer; more of them pay than there are units.</param>
    /// <param name="within">They arrive within this time.</param>
    public Task BuyAsync(int perOffer, TimeSpan within, CancellationToken over) => Task.WhenAll(
        [.. shop.Offers.SelectMany((offer, o) => Enumerable.Range(0, perOffer).Select(i =>
            ArriveAsync($"s{seed}-o{o}-u{i}", offer, FateOf(random.Next(10)), within * random.NextDouble(), over)))]);

    /// <summary>After the others, whoever comes late and pays, until nothing is left: late refunds may have left more units than the crowd wanted.</summary>
    public async Task BuyTheRestAsync(Task first, CancellationToken over)
    {
        await first;
        foreach (var offer in shop.Offers)
        {
            for (var i = 0; !offer.AllSold; i++)
            {
                over.ThrowIfCancellationRequested();
                await BuyOnceAsync($"s{seed}-late-{offer.Id}-{i}", offer, Fate.Pays, comesBack: false, over);
            }
        }
    }

    private static Fate FateOf(int dice) => dice < 5 ? Fate.Pays : dice < 8 ? Fate.Cancels : Fate.LetsExpire;

    private async Task ArriveAsync(string user, OfferProgress offer, Fate fate, TimeSpan after, CancellationToken over)
    {
        await Task.Delay(after, over);
        await BuyOnceAsync(user, offer, fate, comesBack: true, over);
    }

    private async Task BuyOnceAsync(string user, OfferProgress offer, Fate fate, bool comesBack, CancellationToken over)
    {
        var token = (await PersistAsync(() => shop.GetTokenAsync(user, offer), over)).Token;
        while (token is not null)
        {
            // Twice at the same time, as from two tabs: still one order.
            var answers = await Task.WhenAll(
                PersistAsync(() => shop.OrderAsync(user, offer, token), over),
                PersistAsync(() => shop.OrderAsync(user, offer, token), over));
            if (answers.FirstOrDefault(answer => answer.IsSuccess)?.Id is { } order)
            {
                await EndAsync(user, offer, order, fate, over);
                return;
            }

            if (answers.Any(answer => answer.Code != "sold-out") || offer.AllSold || !comesBack)
            {
                await Task.Delay(ComeBackAfter, over);
                return;
            }

            await Task.Delay(ComeBackAfter, over);
        }
    }

    private async Task EndAsync(string user, OfferProgress offer, string order, Fate fate, CancellationToken over)
    {
        if (fate == Fate.Cancels)
        {
            await PersistAsync(() => shop.CancelAsync(user, offer, order), over);
        }
        else if (fate == Fate.Pays && await PersistAsync(() => shop.StartPaymentAsync(user, offer, order), over) is { IsSuccess: true, Id: { } payment })
        {
            await PersistAsync(() => shop.ConfirmPaymentAsync(user, offer, order, payment), over);
        }

        while (true)
        {
            var now = await PersistAsync(() => shop.ReadAsync(user, offer, order), over);
            if (!now.IsSuccess || now.State != "held")
            {
                if (now.State == "paid")
                {
                    offer.CountPaid();
                }

                return;
            }

            await Task.Delay(ComeBackAfter, over);
        }
    }

    /// <summary>The same call until it is answered; nobody gives up before <paramref name="over"/>.</summary>
    private static async Task<Answer> PersistAsync(Func<Task<Answer>> call, CancellationToken over)
    {
        while (true)
        {
            var answer = await call();
            if (answer.Status is not (0 or 429 or 503))
            {
                return answer;
            }

            await Task.Delay(Pause, over);
        }
    }
}
