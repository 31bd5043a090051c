using FlashSale.Core.Sales;

namespace FlashSale.Server.Console.Pages;

/// <summary>One thing that a definition says, in words.</summary>
/// <param name="Key">The same in every state of the sale; offers are told apart by their SKU.</param>
/// <param name="Offer">The SKU; null for what is said of the whole sale.</param>
public sealed record SaleFact(string Key, string? Offer, string Label, string Value);

/// <param name="Old">Null for what was not there.</param>
/// <param name="New">Null for what is no longer there.</param>
public sealed record SaleChange(string? Offer, string Label, string? Old, string? New)
{
    public bool IsOne => Old != New;
}

/// <summary>What a sale is, fact by fact, and how one state of it differs from another.</summary>
public static class SaleFacts
{
    public static IReadOnlyList<SaleFact> Of(Sale sale, ConsoleTexts texts)
    {
        var form = SaleForm.Of(sale);
        List<SaleFact> facts = [.. SaleForm.SaleFields.Select(field => new SaleFact(field, null, texts.FieldName(field), texts.FieldValue(field, form[field])))];
        for (var i = 0; i < sale.Offers.Count; i++)
        {
            var sku = sale.Offers[i].Sku;
            foreach (var field in SaleForm.OfferFields.Where(field => field is not ("sku" or "currency")))
            {
                facts.Add(new SaleFact($"{sku}/{field}", sku, texts.FieldName(field), texts.OfferValue(sale.Offers[i], field, form[SaleForm.OfferPath(i, field)])));
            }
        }

        return facts;
    }

    /// <summary>Every fact of both states, changed or not, in the order of the newer one; what is gone comes last.</summary>
    public static IReadOnlyList<SaleChange> Compare(Sale before, Sale after, ConsoleTexts texts)
    {
        var old = Of(before, texts).ToDictionary(fact => fact.Key, StringComparer.Ordinal);
        List<SaleChange> changes = [];
        foreach (var fact in Of(after, texts))
        {
            changes.Add(new SaleChange(fact.Offer, fact.Label, old.Remove(fact.Key, out var was) ? was.Value : null, fact.Value));
        }

        changes.AddRange(old.Values.Select(gone => new SaleChange(gone.Offer, gone.Label, gone.Value, null)));
        return changes;
    }

    public static IReadOnlyList<SaleChange> Changes(Sale before, Sale after, ConsoleTexts texts) => [.. Compare(before, after, texts).Where(change => change.IsOne)];
}
