using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Reservations;

public sealed class ReservationEndpointsTests(Shop shop)
{
    [Fact]
    public async Task Reserve_BeforeTheOpening_LetsInThoseWhoDid()
    {
        var sale = await shop.OpenAsync(new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(5) });
        var (alice, bob) = (sale.NewShopper(), sale.NewShopper());
        var reserved = (await alice.ReserveAsync()).Expect(HttpStatusCode.Created);
        Assert.Equal("approved", reserved.Text("status"));
        Assert.Equal(sale.Id, reserved.Text("saleId"));
        Assert.Equal(reserved.Body, (await alice.ReserveAsync()).Expect(HttpStatusCode.OK).Body);
        Assert.Equal(reserved.Body, (await alice.SendAsync(HttpMethod.Get, $"/api/v1/sales/{sale.Id}/reservations/me")).Expect(HttpStatusCode.OK).Body);
        (await bob.SendAsync(HttpMethod.Get, $"/api/v1/sales/{sale.Id}/reservations/me")).ExpectProblem(HttpStatusCode.NotFound, "not-found");

        var token = await alice.TokenAsync();
        (await bob.AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-reserved");
        // Only now: a machine that stands still before must not open it too early.
        await sale.MoveOpeningAsync(TimeSpan.FromMilliseconds(500));
        await Eventually.HoldsAsync(async () => (await alice.SubmitAsync(token)).Status == HttpStatusCode.Created, "the sale opens");

        (await bob.ReserveAsync()).ExpectProblem(HttpStatusCode.Conflict, "reservations-not-open");
        (await alice.ReserveAsync()).Expect(HttpStatusCode.OK);
        (await bob.AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-reserved");
    }

    [Fact]
    public async Task Reserve_FiftyTimesAtOnce_MakesOneReservation()
    {
        var sale = await shop.OpenAsync(new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(5) });
        var alice = sale.NewShopper();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => alice.ReserveAsync()));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.Equal(49, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
    }

    [Fact]
    public async Task Reserve_WhereNoReservationIsNeeded_IsRefused() =>
        (await (await shop.OpenAsync()).NewShopper().ReserveAsync()).ExpectProblem(HttpStatusCode.Conflict, "reservations-not-open");
}
