using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core.Sales;
using FlashSale.Server.Hosting;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront.Publishing;

/// <summary>Makes all files of the site from the sales that are listed.</summary>
public sealed class SitePublication(PublishedPages pages, SiteFiles files, SaleCatalog catalog, Settings settings, TimeProvider time)
{
    // Of this program's code and of the files beside it: another build makes other pages of the same sales.
    private readonly string build = Hash($"{typeof(SitePublication).Module.ModuleVersionId:N} {files.Style} {string.Join(' ', files.Assets.Select(asset => asset.Address))} {settings.Demo}")[..16];

    // By the snapshot of the sale: a change of it is a new snapshot.
    private readonly ConditionalWeakTable<LiveSale, string> definitions = [];

    public IReadOnlyList<LiveSale> Listed() => [.. SaleDocuments.Listed(catalog, time.GetUtcNow())];

    /// <summary>Of all that the files are made of: <c>build:sales</c>.</summary>
    public string FingerprintOf(IReadOnlyList<LiveSale> sales) => build + ":" + Hash(string.Join(' ', sales.Select(live => definitions.GetValue(live, DefinitionOf))))[..32];

    /// <summary>Whether these were made of the same sales, by whatever build.</summary>
    public static bool SameSales(string fingerprint, string other) => fingerprint.AsSpan(fingerprint.IndexOf(':') + 1).SequenceEqual(other.AsSpan(other.IndexOf(':') + 1));

    /// <summary>By path.</summary>
    public async Task<IReadOnlyDictionary<string, byte[]>> RenderAsync(IReadOnlyList<LiveSale> sales)
    {
        Dictionary<string, byte[]> all = new(await pages.RenderAsync(sales), StringComparer.Ordinal)
        {
            [SitePaths.Icon] = files.Icon,
            [SitePaths.Headers] = Encoding.UTF8.GetBytes(SitePaths.MakeHeaders(files.ContentSecurityPolicy.ToString())),
        };
        foreach (var language in Language.All)
        {
            all[language.Path(SitePaths.Busy)] = await pages.BusyAsync(language);
        }

        foreach (var asset in files.Assets)
        {
            all[asset.Address] = asset.Content;
        }

        return all;
    }

    /// <summary>
    /// Of a sale as it is on its pages. Its revision would do, but that a pause or a warm-up raises it too: a version that shows nothing new would be one that nobody can roll back from.
    /// </summary>
    private static string DefinitionOf(LiveSale live)
    {
        var shown = live.Sale with { Rev = 0, Status = SaleStatus.Published, WarmUpLead = TimeSpan.Zero, RiskThreshold = 0, Offers = [] };
        return Hash($"{shown} {string.Join(' ', live.Sale.Offers)}");
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
