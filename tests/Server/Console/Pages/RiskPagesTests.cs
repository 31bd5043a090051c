using System.Net;

using FlashSale.Tests.Server.Risk;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class RiskPagesTests(Shop shop)
{
    /// <summary>A sale where everybody of this test scores 10 (no device, no visit), which its threshold lets in or not.</summary>
    private async Task<(ShopSale Sale, Shopper[] People)> ReserveAsync(int threshold, int people = 2)
    {
        var sale = await ShopSale.OpenAsync(await shop.QuickAsync(), new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(5), RiskThreshold = threshold });
        var shoppers = Enumerable.Range(0, people).Select(_ => sale.NewShopper()).ToArray();
        foreach (var shopper in shoppers)
        {
            (await shopper.ReserveAsync()).Expect(HttpStatusCode.Created);
        }

        await Eventually.HoldsAsync(async () => (await sale.AssessmentsAsync("state=done")).Count == people, "all are assessed");
        return (sale, shoppers);
    }

    private DeskVisitor Desk(ShopSale sale, string role = "risk") => new(sale.Server, "rita", role);

    [Fact]
    public async Task Page_OfASale_ShowsWhyEachWasRejectedInBothLanguages()
    {
        var (sale, people) = await ReserveAsync(threshold: 10);

        var zh = (await Desk(sale).GetAsync($"/console/risk?sale={sale.Id}&show=rejected")).Expect(HttpStatusCode.OK);
        var en = (await Desk(sale).GetAsync($"/console/en/risk?sale={sale.Id}&show=rejected")).Expect(HttpStatusCode.OK);

        Assert.All(people, person => Assert.Contains(person.UserId, zh.Text));
        Assert.Contains("没有设备标识 +5", zh.Text);
        Assert.DoesNotContain("No device", zh.Text);
        Assert.Contains("No device was named +5", en.Text);
        Assert.Contains("Rejected 2", en.Text);
        Assert.Contains("Nothing matches.", (await Desk(sale).GetAsync($"/console/en/risk?sale={sale.Id}&show=dead")).Text);
    }

    [Fact]
    public async Task Threshold_WhenTried_SaysHowManyItWouldBarAndChangesNothing()
    {
        var (sale, people) = await ReserveAsync(threshold: 50);

        var page = (await Desk(sale).GetAsync($"/console/en/risk?sale={sale.Id}&threshold=10")).Expect(HttpStatusCode.OK);

        Assert.Contains("Of 2 assessed reservations a threshold of 10 would bar 2 (0 are barred now): 2 newly", page.Text);
        Assert.Contains("10–19 would be barred 2", page.Text);
        Assert.Contains(people[0].UserId, page.Text);
        Assert.DoesNotContain("style=", page.Html);
        Assert.Equal("approved", await sale.ReservationStatusAsync(people[0]));
        Assert.Contains("would bar 0", (await Desk(sale).GetAsync($"/console/en/risk?sale={sale.Id}&threshold=11")).Text);
        Assert.Contains("Must be a whole number from 0 to 100.", (await Desk(sale).GetAsync($"/console/en/risk?sale={sale.Id}&threshold=101")).Text);
    }

    [Fact]
    public async Task Decision_OfRisk_StandsAndIsAudited()
    {
        var (sale, people) = await ReserveAsync(threshold: 10);
        var id = (await sale.AssessmentOfAsync(people[0])).Text("reservationId");

        var answer = (await Act(sale, id, people[0], "approve", "known here")).Expect(HttpStatusCode.SeeOther);

        Assert.Equal($"/console/en/risk?sale={sale.Id}&show=rejected&done=decided", answer.Location);
        Assert.Equal("approved", await sale.ReservationStatusAsync(people[0]));
        await people[0].TokenAsync();
        var entry = (await sale.AdminAsync(HttpMethod.Get, "audit")).Json.GetProperty("items").EnumerateArray().First(entry => entry.Text("action") == "assessment.decide");
        Assert.Equal(("rita", "risk", "known here"), (entry.Text("actor"), entry.Text("role"), entry.Text("reason")));
        (await Act(sale, id, people[0], "reject", "a mistake")).Expect(HttpStatusCode.SeeOther);
        Assert.Equal("rejected", await sale.ReservationStatusAsync(people[0]));
        (await Act(sale, id, people[0], "retry", "once more")).Expect(HttpStatusCode.SeeOther);
    }

    [Fact]
    public async Task Bar_UntilADate_IsInTheBlacklistUntilThenInBeijing()
    {
        var (sale, people) = await ReserveAsync(threshold: 50, people: 1);
        var id = (await sale.AssessmentOfAsync(people[0])).Text("reservationId");

        (await Act(sale, id, people[0], "bar", "a farm", "2099-01-31T20:00")).Expect(HttpStatusCode.SeeOther);

        var entry = (await sale.AdminAsync(HttpMethod.Get, "blacklist/" + people[0].UserId)).Expect(HttpStatusCode.OK);
        Assert.Equal(("a farm", "console", "2099-01-31T12:00:00"), (entry.Text("reason"), entry.Text("source"), entry.Text("expiresAt")[..19]));
        (await people[0].AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
    }

    [Theory]
    [InlineData("approve", "", "", "-reason-error")]
    [InlineData("bar", "a farm", "2001-01-01T00:00", "-until-error")]
    [InlineData("bar", "a farm", "tomorrow", "-until-error")]
    [InlineData("bar", "a farm", "", "-until-error")]
    public async Task Form_ThatIsWrong_SaysSoBesideTheFieldAndChangesNothing(string action, string reason, string until, string error)
    {
        var (sale, people) = await ReserveAsync(threshold: 10, people: 1);
        var id = (await sale.AssessmentOfAsync(people[0])).Text("reservationId");

        var page = (await Act(sale, id, people[0], action, reason, until)).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Contains($"id=\"{id}{error}\"", page.Html);
        Assert.Equal("rejected", await sale.ReservationStatusAsync(people[0]));
    }

    [Theory]
    [InlineData("?sale=0")]
    [InlineData("?show=everything")]
    [InlineData("?cursor=x")]
    public async Task Page_OfWhatDoesNotExist_IsNotFound(string query) =>
        (await new DeskVisitor(await shop.QuickAsync(), "rita", "risk").GetAsync("/console/risk" + query)).Expect(HttpStatusCode.NotFound);

    [Fact]
    public async Task Page_OfAnAuditor_HasNothingToPress()
    {
        var (sale, _) = await ReserveAsync(threshold: 10);

        var page = (await Desk(sale, "auditor").GetAsync($"/console/risk?sale={sale.Id}&show=all&threshold=10")).Expect(HttpStatusCode.OK);

        Assert.DoesNotContain("name=\"do\"", page.Html);
        Assert.DoesNotContain("试算", page.Text);
    }

    private Task<DeskPage> Act(ShopSale sale, string id, Shopper person, string action, string reason, string until = "") => Desk(sale).PostAsync(
        $"/console/en/risk/{id}", ("do", action), ("reason", reason), ("until", until), ("user", person.UserId), ("sale", sale.Id), ("show", "rejected"));
}
