using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Server.Jobs;
using FlashSale.Server.Telemetry;

using Microsoft.Extensions.Logging.Abstractions;

using Xunit;

namespace FlashSale.Tests.Server.Risk;

public sealed class ConductJobTests
{
    /// <summary>Every kind has an input that a rule can ask about, and arrives there.</summary>
    [Fact]
    public async Task Step_OfAllKinds_BringsThemToTheNextAssessment()
    {
        await using var rig = await WorkerRig.StartAsync();
        var log = new ConductLog();
        var kinds = Enum.GetValues<ConductKind>();
        foreach (var kind in kinds)
        {
            for (var i = 0; i <= (int)kind; i++)
            {
                log.Note(UserId.Parse("anna"), kind);
            }
        }

        using var job = new ConductJob(log, rig.Ledger, TimeProvider.System, NullLogger<ConductJob>.Instance);
        await job.StartAsync(default);
        await rig.ReserveAsync(["anna"]);
        var claim = Assert.Single(await rig.Ledger.ClaimAssessmentsAsync(1, TimeSpan.FromMinutes(1), default));
        RiskInput[] inputs = [RiskInput.TokensAsked, RiskInput.TokensRefused, RiskInput.ChallengesFailed, RiskInput.RateLimited, RiskInput.Cancellations];
        await Eventually.HoldsAsync(
            async () => await rig.Ledger.ReadRiskInputsAsync([claim], default) is [var known] && known[inputs[^1]] == kinds.Length, "the last kind is written");

        var all = Assert.Single(await rig.Ledger.ReadRiskInputsAsync([claim], default));
        Assert.Equal(Enumerable.Range(1, kinds.Length), inputs.Select(input => all[input]!.Value));
        await job.StopAsync(default);
    }

    [Fact]
    public async Task Cancellation_OfAnOrder_IsRememberedOfItsUser()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var open = await ShopSale.OpenAsync(server, new ShopTerms());
        var anna = open.Named("anna");
        var order = (await anna.OrderAsync()).Text("id");
        (await anna.CancelAsync(order)).Expect(System.Net.HttpStatusCode.OK);

        // It is written once a second, and an assessment knows what was written before it: the first may come too soon.
        await Eventually.HoldsAsync(
            async () =>
            {
                await Task.Delay(500);
                var coming = await RiskServers.OpenAsync(server);
                await coming.Named("anna").ReserveAsync();
                List<JsonElement> done = [];
                await Eventually.HoldsAsync(async () => (done = await coming.AssessmentsAsync("state=done")).Count == 1, "it is assessed");
                return Input(done[0], "cancellations") == 1 && Input(done[0], "tokensAsked") >= 1;
            },
            "the assessment knows");
    }

    private static int Input(JsonElement assessment, string name) => assessment.GetProperty("inputs").GetProperty(name).GetInt32();
}
