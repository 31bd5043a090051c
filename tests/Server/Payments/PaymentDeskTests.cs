using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage;
using FlashSale.Tests.Server.Orders;

using Xunit;

namespace FlashSale.Tests.Server.Payments;

/// <summary>What a provider reports again while its first report is still being booked.</summary>
public sealed class PaymentDeskTests : IAsyncLifetime
{
    private readonly TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WriterRig rig = null!;
    private int booked;

    public async ValueTask InitializeAsync()
    {
        rig = await WriterRig.StartAsync();
        rig.Faults.OnComplete = async complete =>
        {
            Interlocked.Increment(ref booked);
            await release.Task;
            return await complete();
        };
    }

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task CompleteAsync_WhileTheSameReportIsBeingBooked_WaitsForThatOne()
    {
        var (order, payment) = await StartAsync("anna");

        // All of them have come before the first is let go: one that a thread is late with would be another report.
        var reports = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => new[] { ReportAsync(order, payment) })));
        Assert.Equal(1, booked);
        var late = ReportAsync(order, payment);
        Assert.False(late.IsCompleted);
        release.SetResult();

        Assert.All(await Task.WhenAll([.. reports.Select(report => report[0]), late]), outcome => Assert.Equal(PaymentOutcome.Paid, outcome));
        Assert.Equal(1, booked);

        // What comes after it asks the ledger, which knows it.
        Assert.Equal(PaymentOutcome.Repeated, await ReportAsync(order, payment));
        Assert.Equal(2, booked);
    }

    [Fact]
    public async Task CompleteAsync_WhileAnotherReportOfThePaymentIsBeingBooked_BooksItsOwn()
    {
        var (order, payment) = await StartAsync("anna");

        var failed = ReportAsync(order, payment, paid: false);
        var wrong = rig.Payments.CompleteAsync(payment.Id, order.Id, new Money(payment.Amount.Amount + 1, payment.Amount.Currency), true);
        var paid = ReportAsync(order, payment);
        Assert.Equal(3, booked);
        release.SetResult();

        Assert.Equal(PaymentOutcome.WrongAmount, await wrong);
        Assert.Contains(await failed, new[] { PaymentOutcome.Failed, PaymentOutcome.Repeated });
        Assert.Equal(PaymentOutcome.Paid, await paid);
    }

    [Fact]
    public async Task CompleteAsync_WhenTheBreakerHasOpenedMeanwhile_StillHearsOfTheReportThatIsBeingBooked()
    {
        var (order, payment) = await StartAsync("anna");
        var first = ReportAsync(order, payment);
        rig.Faults.OnComplete = _ => throw new LedgerUnavailableException("The server is gone.");
        var (other, unpaid) = await StartAsync("ben");
        for (var i = 0; i < Limits.SlowBreakerCalls; i++)
        {
            await Assert.ThrowsAsync<LedgerUnavailableException>(() => ReportAsync(other, unpaid));
        }

        Assert.Equal(BreakerState.Open, rig.Breakers.Payments.Breaker.State);
        var again = ReportAsync(order, payment);
        release.SetResult();

        Assert.Equal((PaymentOutcome.Paid, PaymentOutcome.Paid), (await first, await again));
    }

    private async Task<(Order Order, Payment Payment)> StartAsync(string user)
    {
        var order = (await rig.PlaceAsync(user)).Order!;
        var started = await rig.Payments.StartAsync(order.Id, order.UserId, PaymentId.Create(rig.Time.GetUtcNow()));
        return (order, started!.Value.Payment!);
    }

    private Task<PaymentOutcome> ReportAsync(Order order, Payment payment, bool paid = true) => rig.Payments.CompleteAsync(payment.Id, order.Id, payment.Amount, paid);
}
