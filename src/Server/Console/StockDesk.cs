using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>What became of an adjustment.</summary>
public enum AdjustmentOutcome
{
    Done,

    /// <summary>The stock of a draft is part of its definition. Nothing was written.</summary>
    Draft,

    /// <summary>Fewer than none would be left, or more than an offer may have. Nothing was written.</summary>
    OutOfRange,

    /// <summary>Another number of units is available than was expected. Nothing was written.</summary>
    Conflict,
}

/// <param name="Available">As it is after it, or as it is instead of what was expected.</param>
public readonly record struct AdjustmentResult(AdjustmentOutcome Outcome, long Available, OfferStock? Stock = null);

/// <summary>Adjusts the stock of an offer: in the ledger with its audit entry, then in the gate.</summary>
public sealed class StockDesk(ILedger ledger, Settlements settlements)
{
    public static StockAdjustmentRequest Read(FieldReader fields)
    {
        var request = new StockAdjustmentRequest(
            fields.Number("delta", -Limits.StockMax, Limits.StockMax),
            fields.Text("reason", Limits.ReasonLength),
            fields.Text("reference", Limits.ReferenceLength),
            fields.Number("expectedAvailable", 0, Limits.AdjustedStockMax));
        if (request.Delta == 0)
        {
            fields.Fail("delta", "must not be 0");
        }

        return request;
    }

    /// <summary>Once begun, the gate must learn of it, so nothing here ends with the request.</summary>
    public async Task<AdjustmentResult> AdjustAsync(OfferId offer, StockAdjustmentRequest request, Actor actor)
    {
        if (await ledger.AdjustStockAsync(offer, request, actor, CancellationToken.None) is { } move)
        {
            await settlements.SettleAsync(move, CancellationToken.None);
            return new AdjustmentResult(AdjustmentOutcome.Done, move.Stock.Row.Available, move.Stock);
        }

        var stock = await ledger.ReadStockAsync([offer], CancellationToken.None);
        var available = stock.Sum(bucket => bucket.Row.Available);
        var outcome = stock.Count == 0 ? AdjustmentOutcome.Draft
            : available == request.ExpectedAvailable ? AdjustmentOutcome.OutOfRange
            : AdjustmentOutcome.Conflict;
        return new AdjustmentResult(outcome, available);
    }
}
