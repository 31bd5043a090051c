using System.Collections.Concurrent;
using System.Text;

using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <summary>
/// The pages that are the same for everybody, whoever asks and whenever: the list, the sales and their checkouts. They need no request to be made, so that they can be published as files; where none
/// was published, they are made when somebody asks.
/// </summary>
public sealed class PublishedPages(SiteFiles files, Settings settings, IServiceProvider services)
{
    // What an operator publishes is seen within seconds; while the servers are busy, or away, an old page is better than none.
    public const string Caching = "public, max-age=10, stale-while-revalidate=60, stale-if-error=86400";

    // Without script; the script draws a time for each. Slow, since all who have it come back at once.
    private const int BusyRefreshSeconds = 10;

    // Some megabytes at most. More than that are asked for by no crowd but by a program that goes through all of them.
    private const int KeptMax = 64;

    private readonly ConcurrentDictionary<string, KeptPage> kept = new(StringComparer.Ordinal);

    /// <param name="sales">Those that are listed; the order is that of the page.</param>
    public Task<byte[]> ListAsync(IEnumerable<LiveSale> sales, Language language) =>
        RenderAsync<ListPage>((IReadOnlyList<LiveSale>)[.. sales.OrderBy(live => live.Sale.OpensAt)], "/", language);

    public Task<byte[]> SaleAsync(LiveSale live, Language language) =>
        RenderAsync<SalePage>(new SaleModel(live, Shopper.Stranger, null), SalePages.PathOf(live.Sale), language);

    public Task<byte[]> CheckoutAsync(LiveOffer offer, Language language) =>
        RenderAsync<CheckoutPage>(new CheckoutModel(offer, "", TooEarly: false), CheckoutPages.PathOf(offer), language);

    /// <summary>For whoever cannot be served at the moment; it asks again by itself.</summary>
    public Task<byte[]> BusyAsync(Language language) =>
        RenderAsync<ProblemPage>(new ProblemModel(Problems.Of(ProblemCode.Overloaded), null) { RefreshSeconds = BusyRefreshSeconds, IsBusy = true, AsksAgain = true }, "/", language, published: false);

    /// <summary>Every page of these sales in every language, and the lists of them, by their address.</summary>
    public async Task<IReadOnlyDictionary<string, byte[]>> RenderAsync(IReadOnlyCollection<LiveSale> sales)
    {
        Dictionary<string, byte[]> pages = new(StringComparer.Ordinal);
        foreach (var language in Language.All)
        {
            pages[language.Path("/")] = await ListAsync(sales, language);
            foreach (var live in sales)
            {
                pages[language.Path(SalePages.PathOf(live.Sale))] = await SaleAsync(live, language);
                foreach (var offer in live.Offers)
                {
                    pages[language.Path(CheckoutPages.PathOf(offer))] = await CheckoutAsync(offer, language);
                }
            }
        }

        return pages;
    }

    /// <summary>
    /// Sends a page of this sale to whoever asked, without a look at who it is. Of a sale that is over since long: a crowd that comes by an old link costs one rendering. The last ones are kept as long as the sale is as it was
    /// when they were made.
    /// </summary>
    public async Task SendAsync(HttpContext context, LiveSale live, Func<Task<byte[]>> make)
    {
        var path = context.Request.Path.Value!;
        if (!kept.TryGetValue(path, out var page) || page.Live != live || page.Answer.Value.IsFaulted)
        {
            if (kept.Count >= KeptMax)
            {
                kept.Clear();
            }

            page = kept[path] = new KeptPage(live, new(async () => new StoredAnswer(await make(), HtmlPages.HtmlType, Caching, files.ContentSecurityPolicy.ToString())));
        }

        await (await page.Answer.Value).SendAsync(context);
    }

    /// <summary>The same for a page that is not kept.</summary>
    public async Task SendAsync(HttpContext context, Task<byte[]> page)
    {
        var html = await page;
        var response = context.Response;
        Visit.SetHeaders(response.Headers, files);
        response.Headers.CacheControl = Caching;
        response.ContentType = HtmlPages.HtmlType;
        response.ContentLength = html.Length;
        await response.Body.WriteAsync(html, context.RequestAborted);
    }

    private async Task<byte[]> RenderAsync<TPage>(object model, string path, Language language, bool published = true)
        where TPage : Microsoft.AspNetCore.Components.IComponent
    {
        var visit = new Visit(language, path, null, DateTimeOffset.UnixEpoch, settings.Demo, files) { Published = published };
        return Encoding.UTF8.GetBytes(await visit.RenderAsync<TPage>(model, services));
    }

    /// <summary>Those who come together wait for the one rendering.</summary>
    private sealed record KeptPage(LiveSale Live, Lazy<Task<StoredAnswer>> Answer);
}
