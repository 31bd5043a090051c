using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>A sale as it is now, or why nothing was changed.</summary>
public readonly record struct SaleResult(Sale? Sale, ProblemCode Problem = ProblemCode.NotFound, ProblemDetail? Detail = null)
{
    public static SaleResult Refused(ProblemCode problem, string? detail = null) => new(null, problem, new ProblemDetail { Detail = detail });

    public static SaleResult Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        new(null, ProblemCode.InvalidFields, new ProblemDetail { Errors = errors });
}

/// <summary>Changes sales: in the ledger with its audit entry, then at once in this instance. The others notice by themselves.</summary>
public sealed class SaleDesk(ILedger ledger, WarmUp warmUp, ILogger<SaleDesk> log)
{
    /// <summary>How often a change is decided anew when another one came between, for callers who named no revision.</summary>
    private const int Attempts = 5;

    /// <summary>The sale as the ledger has it, whatever this instance remembers.</summary>
    public async Task<Sale?> FindAsync(string saleId, CancellationToken cancellation) =>
        SaleId.TryParse(saleId, out var id) ? (await ledger.ListSalesAsync(cancellation)).FirstOrDefault(sale => sale.Id == id) : null;

    public async Task<SaleResult> CreateAsync(Sale sale, Actor actor)
    {
        if (await ledger.CreateSaleAsync(sale, actor, CancellationToken.None) is not { } created)
        {
            return SaleResult.Refused(ProblemCode.SlugTaken);
        }

        await FollowAsync(created);
        return new SaleResult(created);
    }

    /// <param name="decide">What the sale becomes, or why not. Asked again when the sale was changed meanwhile and the caller named no revision.</param>
    /// <param name="action">The word for the audit log.</param>
    public async Task<SaleResult> ChangeAsync(string saleId, IfMatch ifMatch, string action, Actor actor, Func<Sale, Task<SaleResult>> decide)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            // Once begun, this instance must learn of the change, so nothing here ends with the request.
            if (await FindAsync(saleId, CancellationToken.None) is not { } sale)
            {
                return SaleResult.Refused(ProblemCode.NotFound);
            }

            if (!ifMatch.Accepts(sale.Rev))
            {
                break;
            }

            var decided = await decide(sale);
            if (decided.Sale is not { } wanted)
            {
                return decided;
            }

            try
            {
                if (await ledger.UpdateSaleAsync(wanted, sale.Rev, action, actor, CancellationToken.None) is { } changed)
                {
                    await FollowAsync(changed);
                    return new SaleResult(changed);
                }
            }
            catch (BatchRejectedException)
            {
                return SaleResult.Refused(ProblemCode.SlugTaken);
            }
        }

        return SaleResult.Refused(ProblemCode.PreconditionFailed);
    }

    /// <summary>The change is committed, so a failure here is not the caller's: the job that watches the catalogue tries again within half a second.</summary>
    private async Task FollowAsync(Sale sale)
    {
        try
        {
            await warmUp.RefreshAsync(sale, CancellationToken.None);
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException or GateUnavailableException)
        {
            log.LogWarning("Sale {Sale} was changed, but not loaded: {Problem}", sale.Id, exception.Message);
        }
    }
}

/// <summary>The words of the audit log for what happens to a sale.</summary>
public static class SaleActions
{
    /// <summary>Written by the ledger itself.</summary>
    public const string Created = "sale.create";
    public const string Updated = "sale.update";
    public const string Published = "sale.publish";
    public const string WarmedUp = "sale.warm-up";
    public const string Paused = "sale.pause";
    public const string Resumed = "sale.resume";
    public const string Closed = "sale.close";
}
