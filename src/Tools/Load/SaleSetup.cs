using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Tools.Load;

/// <summary>Makes and publishes the sales of a run, as an operator.</summary>
internal sealed class SaleSetup(LoadSettings settings, ShopClient shop, RunClock clock, Shopper operatorUser)
{
    /// <summary>In fen.</summary>
    public const long Price = 99_00;
    private const long FaceValue = 30_000_00;
    private static readonly byte[] Reason = JsonSerializer.SerializeToUtf8Bytes(new ReasonRequest("load run"), WireJson.Default.ReasonRequest);

    /// <param name="now">By the server's clock.</param>
    /// <exception cref="UsageException">The server refused.</exception>
    public async Task<List<PlannedSale>> MakeAsync(DateTimeOffset now, DateTimeOffset opensAt)
    {
        var sales = new List<PlannedSale>();
        for (var index = 0; index < settings.Sales; index++)
        {
            sales.Add(await MakeOneAsync(index, now, opensAt));
        }

        return sales;
    }

    /// <summary>Asks for a warm-up and waits until every sale is warm, but not beyond a time.</summary>
    /// <returns>How many are.</returns>
    public async Task<int> WarmAsync(IReadOnlyList<PlannedSale> sales, long until, CancellationToken cancellationToken)
    {
        foreach (var sale in sales)
        {
            await shop.SendAsync(Admin("admin.warm-up", HttpMethod.Post, $"sales/{sale.Id}/warm-up") with { Subject = sale.Id, Body = Reason });
        }

        while (true)
        {
            var warm = 0;
            foreach (var sale in sales)
            {
                warm += await IsWarmAsync(sale, cancellationToken) ? 1 : 0;
            }

            if (warm == sales.Count || clock.Now >= until)
            {
                return warm;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), clock.Time, cancellationToken);
        }
    }

    private async Task<PlannedSale> MakeOneAsync(int index, DateTimeOffset now, DateTimeOffset opensAt)
    {
        // Every other sale asks for a reservation, so that one run goes both ways.
        var reserves = settings.WithReservations && index % 2 == 0;
        var slug = $"load-{settings.Seed}-{now:MMddHHmmssfff}-{index}";
        var request = new SaleRequest
        {
            Slug = slug,
            Title = new LocalizedText($"压力测试 {index + 1}", $"Load run {index + 1}"),
            ReservationOpensAt = reserves ? now.AddSeconds(-5) : null,
            ReservationClosesAt = reserves ? opensAt.AddSeconds(-1) : null,
            OpensAt = opensAt,
            ClosesAt = opensAt + settings.Timeout + settings.PaymentWindow + TimeSpan.FromMinutes(10),
            RequiresReservation = reserves,
            PaymentWindowSeconds = (int)settings.PaymentWindow.TotalSeconds,
            RiskThreshold = settings.RiskThreshold,
            Defences = settings.Defences,
            Offers = [.. Enumerable.Range(0, settings.Offers).Select(offer => MakeOffer(index, offer, opensAt))],
        };
        var body = JsonSerializer.SerializeToUtf8Bytes(request, WireJson.Default.SaleRequest);
        var made = await shop.SendAsync(Admin("admin.create", HttpMethod.Post, "sales") with { Body = body });
        Expect(made, $"make sale {slug}");
        var id = made.Id ?? throw new UsageException("The answer to a new sale has no id.");
        var published = await shop.SendAsync(Admin("admin.publish", HttpMethod.Post, $"sales/{id}/publication") with { Subject = id, Body = Reason });
        Expect(published, $"publish sale {slug}");
        return new PlannedSale
        {
            Id = id,
            Slug = slug,
            RequiresReservation = reserves,
            Offers = [.. (await ReadOffersAsync(id)).Select((offer, at) => new PlannedOffer
            {
                Id = offer.Id,
                Title = $"{index + 1}.{at + 1}",
                Stock = settings.Stock,
                TokensUri = new Uri(settings.Target, $"/api/v1/offers/{offer.Id}/order-tokens"),
            })],
            ReservationsUri = new Uri(settings.Target, $"/api/v1/sales/{id}/reservations"),
            ReservationUri = new Uri(settings.Target, $"/api/v1/sales/{id}/reservations/me"),
        };
    }

    private OfferRequest MakeOffer(int sale, int offer, DateTimeOffset opensAt) => new()
    {
        Sku = $"LOAD-{sale + 1}-{offer + 1}",
        Title = new LocalizedText($"优惠券 {offer + 1}", $"Coupon {offer + 1}"),
        FaceValue = Money.Cny(FaceValue),
        Price = Money.Cny(Price),
        Stock = settings.Stock,
        PerUserLimit = settings.PerUserLimit,
        ValidFrom = opensAt,
        ValidUntil = opensAt.AddYears(1),
    };

    private async Task<IReadOnlyList<OfferDocument>> ReadOffersAsync(string sale) =>
        (await ReadAsync(Admin("admin-read", HttpMethod.Get, $"sales/{sale}"), WireJson.Default.SaleDocument)).Offers;

    private async Task<bool> IsWarmAsync(PlannedSale sale, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var readiness = await ReadAsync(Admin("admin-read", HttpMethod.Get, $"sales/{sale.Id}/readiness"), WireJson.Default.ReadinessDocument);
        return readiness.WarmUp.Warm && readiness.Offers.All(offer => offer.Warm);
    }

    private async Task<T> ReadAsync<T>(Call call, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var answer = await shop.SendAsync(call with { KeepBody = true });
        Expect(answer, $"read {call.Uri.AbsolutePath}");
        try
        {
            return JsonSerializer.Deserialize(answer.Body, type) ?? throw new JsonException("null");
        }
        catch (JsonException problem)
        {
            throw new UsageException($"{call.Uri} does not answer as the API says: {problem.Message}", problem);
        }
    }

    private Call Admin(string op, HttpMethod method, string path) =>
        new(op, method, new Uri(settings.Target, "/api/v1/admin/" + path), operatorUser, clock.Now);

    private void Expect(Answer answer, string what)
    {
        if (!answer.IsSuccess)
        {
            var hint = answer.Status is 401 or 403 ? " Is --auth-key the key of this server?" : "";
            throw new UsageException($"{settings.Target} did not let us {what}: {answer.Status} {answer.Code} {answer.Detail}.{hint}");
        }
    }
}
