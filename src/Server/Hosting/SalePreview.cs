using System.Text.RegularExpressions;

using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront;
using FlashSale.Server.Storefront.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Hosting;

/// <summary>How a sale stands on a page that is only looked at.</summary>
public enum PreviewState
{
    /// <summary>As its times say, with all of its stock.</summary>
    Running,
    SoldOut,
    Paused,
}

/// <summary>Who looks at the page.</summary>
public enum PreviewShopper
{
    SignedIn,
    Reserved,
    Stranger,
}

/// <summary>
/// The storefront's own page of a sale at any moment, for those who prepare it: the console does not reach into the storefront, and shows nothing but what
/// shoppers will see.
/// </summary>
public sealed partial class SalePreview(SiteFiles files, Settings settings, IServiceProvider services)
{
    /// <summary>Nothing of it runs or sends anything, and only our own pages frame it.</summary>
    public string ContentSecurityPolicy { get; } =
        $"default-src 'none'; style-src {files.StyleHash}; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox";

    /// <summary>The whole HTML. A draft is shown as if it were published.</summary>
    public async Task<string> RenderAsync(Sale sale, PreviewState state, PreviewShopper shopper, DateTimeOffset at, bool isZh)
    {
        // A catalogue of its own, so that nobody else sees what is only imagined.
        var catalog = new SaleCatalog();
        catalog.Put([sale with { Status = state == PreviewState.Paused ? SaleStatus.Paused : SaleStatus.Published }]);
        foreach (var offer in sale.Offers)
        {
            catalog.Put(new OfferStock(offer.Id, 0, state == PreviewState.SoldOut
                ? StockRow.Restore(offer.Stock, 0, 0, 0, offer.Stock, offer.Stock + 1)
                : StockRow.Create(offer.Stock).Row));
        }

        var live = catalog.Find(sale.Id) ?? throw new InvalidOperationException("The sale was put there.");
        var session = shopper == PreviewShopper.Stranger ? null : new Session(Somebody, Roles.None, at.AddHours(1));
        var visit = new Visit(isZh ? Language.Zh : Language.En, Visit.LiveOf(SalePages.PathOf(sale)), session, at, settings.Demo, files);
        // What would run is blocked anyway; without it the browser has nothing to complain of.
        return Running().Replace(await visit.RenderAsync<SalePage>(new SaleModel(live, ShopperOf(shopper), null), services), "");
    }

    private static UserId Somebody { get; } = UserId.TryParse("preview", out var user) ? user : default;

    [GeneratedRegex("<script[^>]*></script>|<meta http-equiv=\"refresh\"[^>]*>", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Running();

    private static Shopper ShopperOf(PreviewShopper shopper) => shopper switch
    {
        PreviewShopper.Stranger => Shopper.Stranger,
        PreviewShopper.Reserved => Shopper.Stranger with { SignedIn = true, Reservation = ReservationStatus.Approved },
        _ => Shopper.Stranger with { SignedIn = true },
    };
}
