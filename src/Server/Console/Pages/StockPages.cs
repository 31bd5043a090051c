using System.Text.Json.Nodes;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>The stock of an offer in the ledger, all buckets together, and in the gate.</summary>
/// <param name="Gate">Null when the offer is not loaded, or the gate cannot be asked.</param>
public sealed record OfferStockLine(Offer Offer, long Initial, long Adjustments, long Available, long Held, long Sold, GateStock? Gate)
{
    /// <summary>Gate stock + pending − ledger available: what is on its way at this moment, or wrong.</summary>
    public long? Drift => Gate is { } gate ? gate.Stock + gate.Pending - Available : null;
}

/// <param name="Lines">Empty for a draft.</param>
/// <param name="Chosen">The offer that is adjusted and whose changes are shown.</param>
/// <param name="Changes">The newest first.</param>
public sealed record StockModel(Sale Sale, IReadOnlyList<OfferStockLine> Lines, OfferStockLine? Chosen, IReadOnlyList<StockChange> Changes, bool GateAway)
{
    /// <summary>As typed; what is not there has not been typed yet.</summary>
    public IReadOnlyDictionary<string, string> Typed { get; init; } = new Dictionary<string, string>();

    /// <summary>By field, in the words of the API.</summary>
    public IReadOnlyDictionary<string, string> Errors { get; init; } = new Dictionary<string, string>();

    /// <summary>Why nothing was adjusted, in the language of the page.</summary>
    public string? Trouble { get; init; }
}

/// <summary>The stock of every offer, the form that adjusts it when it is what the operator saw, and its last changes.</summary>
public static class StockPages
{
    private const int ChangesShown = 50;
    private static readonly string[] Fields = ["delta", "reason", "reference", "expectedAvailable"];

    public static void MapStockPages(this PageMap pages)
    {
        pages.GetSale("/stock", Roles.Viewer | Roles.Operator | Roles.Auditor, async (visit, sale, context) =>
            visit.Show<StockPage>(await ModelOfAsync(sale, context.Request.Query["offer"], context)));
        pages.PostSale("/stock", Roles.Operator, AdjustAsync);
    }

    private static async Task<IResult> AdjustAsync(ConsoleVisit visit, Sale sale, IFormCollection form, HttpContext context)
    {
        if (sale.Offers.FirstOrDefault(offer => offer.Id.ToString() == form["offer"]) is not { } offer)
        {
            return PageMap.NotFound(visit);
        }

        var (request, errors) = FormFields.Read(
            new JsonObject
            {
                ["delta"] = FormFields.Number(form["delta"].ToString()),
                ["reason"] = FormFields.Text(form["reason"].ToString()),
                ["reference"] = FormFields.Text(form["reference"].ToString()),
                ["expectedAvailable"] = FormFields.Number(form["expectedAvailable"].ToString()),
            },
            StockDesk.Read);
        var typed = Fields.ToDictionary(field => field, field => form[field].ToString(), StringComparer.Ordinal);
        if (request is null)
        {
            var refused = await ModelOfAsync(sale, form["offer"], context);
            return visit.Show<StockPage>(
                refused with { Typed = typed, Errors = errors.ToDictionary(error => error.Key, error => error.Value[0], StringComparer.Ordinal), Trouble = visit.Texts.InvalidFields },
                StatusCodes.Status422UnprocessableEntity);
        }

        var result = await context.RequestServices.GetRequiredService<StockDesk>().AdjustAsync(offer.Id, request, visit.Actor(context, request.Reason));
        if (result.Outcome == AdjustmentOutcome.Done)
        {
            return visit.See($"/sales/{sale.Id}/stock?offer={offer.Id}", "adjusted");
        }

        // What it is now is the next thing to expect; everything else stays as it was typed.
        typed["expectedAvailable"] = visit.Texts.Plain(result.Available);
        var model = await ModelOfAsync(sale, form["offer"], context);
        return visit.Show<StockPage>(
            model with { Typed = typed, Trouble = TroubleOf(visit.Texts, result, request) },
            result.Outcome == AdjustmentOutcome.OutOfRange ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status409Conflict);
    }

    private static string TroubleOf(ConsoleTexts texts, in AdjustmentResult result, StockAdjustmentRequest request) => result.Outcome switch
    {
        AdjustmentOutcome.Draft => texts.DraftStock,
        AdjustmentOutcome.OutOfRange => texts.StockOutOfRange(result.Available),
        _ => texts.StockConflict(request.ExpectedAvailable, result.Available),
    };

    private static async Task<StockModel> ModelOfAsync(Sale sale, string? offer, HttpContext context)
    {
        var services = context.RequestServices;
        var ledger = services.GetRequiredService<ILedger>();
        var stocks = await ledger.ReadStockAsync([.. sale.Offers.Select(one => one.Id)], context.RequestAborted);
        var (gate, away) = await ReadGateAsync(sale, services.GetRequiredService<IGate>(), context.RequestAborted);
        OfferStockLine[] lines =
        [
            .. from one in sale.Offers
               join stock in stocks on one.Id equals stock.OfferId into buckets
               where buckets.Any()
               select new OfferStockLine(
                   one,
                   buckets.Sum(bucket => bucket.Row.Initial),
                   buckets.Sum(bucket => bucket.Row.Adjustments),
                   buckets.Sum(bucket => bucket.Row.Available),
                   buckets.Sum(bucket => bucket.Row.Held),
                   buckets.Sum(bucket => bucket.Row.Sold),
                   gate.GetValueOrDefault(one.Id)),
        ];
        var chosen = lines.FirstOrDefault(line => line.Offer.Id.ToString() == offer) ?? lines.FirstOrDefault();
        return new StockModel(sale, lines, chosen, chosen is null ? [] : await ReadChangesAsync(chosen.Offer.Id, stocks, ledger, context.RequestAborted), away);
    }

    private static async Task<IReadOnlyList<StockChange>> ReadChangesAsync(
        OfferId offer, IReadOnlyList<OfferStock> stocks, ILedger ledger, CancellationToken cancellation)
    {
        var last = stocks.First(stock => stock.OfferId == offer).Row.Seq;
        var page = await ledger.ReadChangesAsync(offer, Math.Max(0, last - ChangesShown), 2 * ChangesShown, cancellation);
        return page is null ? [] : [.. page.Changes.Select(one => one.Change).Reverse().Take(ChangesShown)];
    }

    /// <summary>What the gate does not have is not there; the stock of the ledger is shown without it all the same.</summary>
    private static async Task<(Dictionary<OfferId, GateStock?> Stocks, bool Away)> ReadGateAsync(Sale sale, IGate gate, CancellationToken cancellation)
    {
        Dictionary<OfferId, GateStock?> stocks = [];
        try
        {
            foreach (var offer in sale.Offers)
            {
                stocks[offer.Id] = await gate.ReadAsync(offer.Id, cancellation);
            }

            return (stocks, false);
        }
        catch (GateUnavailableException)
        {
            return (stocks, true);
        }
    }
}
