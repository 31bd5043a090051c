using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>An action that halts a sale, lets it go on or ends it: the status that it asks for, and those that it starts from.</summary>
/// <param name="Path">Of its address, below that of the sale.</param>
/// <param name="Action">The word for the audit log.</param>
public sealed record SaleHalt(string Path, string Summary, string Action, SaleStatus Next, IReadOnlyList<SaleStatus> From)
{
    public static SaleHalt Pause { get; } =
        new("pause", "Halt a published sale: nobody orders until it is resumed", SaleActions.Paused, SaleStatus.Paused, [SaleStatus.Published]);

    public static SaleHalt Resume { get; } =
        new("resumption", "Let a paused sale go on where it stood", SaleActions.Resumed, SaleStatus.Published, [SaleStatus.Paused]);

    public static SaleHalt Close { get; } =
        new("closure", "End a sale for good, also before its time", SaleActions.Closed, SaleStatus.Closed, [SaleStatus.Published, SaleStatus.Paused]);

    public static IReadOnlyList<SaleHalt> All { get; } = [Pause, Resume, Close];

    /// <summary>Whether the sale is in a state that this starts from.</summary>
    public bool Fits(Sale sale, DateTimeOffset now) => Move(sale, now).Sale is not null;

    public SaleResult Move(Sale sale, DateTimeOffset now) => SaleControl.Move(sale, Next, From, now);
}

/// <summary>What an operator does with a sale, by the API and by the console: each action asks for a state, and is in the audit log.</summary>
public sealed class SaleControl(SaleDesk desk, FourEyes fourEyes, WarmUp warmUp, TimeProvider time)
{
    public Task<SaleResult> HaltAsync(string saleId, IfMatch ifMatch, SaleHalt halt, Actor actor) =>
        desk.ChangeAsync(saleId, ifMatch, halt.Action, actor, sale => Task.FromResult(halt.Move(sale, time.GetUtcNow())));

    /// <param name="actor">In the role that publishes (<see cref="FourEyes.RoleOf"/>).</param>
    public Task<SaleResult> PublishAsync(string saleId, IfMatch ifMatch, Session session, Actor actor) =>
        desk.ChangeAsync(saleId, ifMatch, SaleActions.Published, actor, async sale =>
            await fourEyes.RefuseAsync(sale, session) is { } refusal
                ? SaleResult.Refused(ProblemCode.Forbidden, refusal)
                : Publish(sale, time.GetUtcNow()));

    /// <summary>A change of nothing but the revision, which puts the operator's action into the audit log, and then the load.</summary>
    public async Task<(SaleResult Result, WarmUpDocument? Loaded)> WarmUpAsync(string saleId, IfMatch ifMatch, Actor actor)
    {
        var result = await desk.ChangeAsync(saleId, ifMatch, SaleActions.WarmedUp, actor, sale => Task.FromResult(RequireRunning(sale, time.GetUtcNow())));
        return (result, result.Sale is { } running ? await warmUp.RunAsync(running, anew: false, CancellationToken.None) : null);
    }

    public static bool MayWarmUp(Sale sale, DateTimeOffset now) => RequireRunning(sale, now).Sale is not null;

    public static bool MayPublish(Sale sale, DateTimeOffset now) => Publish(sale, now).Sale is not null;

    internal static SaleResult Move(Sale sale, SaleStatus next, IReadOnlyList<SaleStatus> from, DateTimeOffset now)
    {
        if (!from.Contains(sale.Status))
        {
            var needed = string.Join(" or ", from.Select(status => status.ToString().ToLowerInvariant()));
            return SaleResult.Refused(ProblemCode.SaleStateConflict, $"The sale is {Word(sale)}; it must be {needed} for this.");
        }

        // An old draft, or a sale that ended by itself while it was paused.
        return now >= sale.ClosesAt && next != SaleStatus.Closed
            ? SaleResult.Refused(ProblemCode.SaleStateConflict, "The closesAt of the sale is past; it must be in the future for this.")
            : new SaleResult(sale with { Status = next });
    }

    private static SaleResult Publish(Sale sale, DateTimeOffset now) => Move(sale, SaleStatus.Published, [SaleStatus.Draft], now);

    private static SaleResult RequireRunning(Sale sale, DateTimeOffset now) =>
        sale.Status is SaleStatus.Published or SaleStatus.Paused && now < sale.ClosesAt
            ? new SaleResult(sale)
            : SaleResult.Refused(ProblemCode.SaleStateConflict, $"The sale is {Word(sale)}; it must be published or paused, and not over.");

    private static string Word(Sale sale) => sale.Status == SaleStatus.Draft ? "a draft" : sale.Status.ToString().ToLowerInvariant();
}
