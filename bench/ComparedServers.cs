using System.Reflection;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Edge;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Microsoft.Extensions.FileProviders;

namespace FlashSale.Bench;

/// <summary>Kestrel with one fixed answer from middleware: the most that this machine can answer.</summary>
public static class BareServer
{
    public static async Task<int> RunAsync(string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.WebHost.ConfigureKestrel(options => options.AddServerHeader = false);
        var app = builder.Build();
        var body = "{\"type\":\"/problems/sold-out\",\"title\":\"Sold out\",\"status\":409,\"code\":\"sold-out\",\"effect\":\"none\",\"traceId\":\"0HNQ8OGGRFCQI:00000001\"}"u8.ToArray();
        app.Run(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/healthz/ready" ? 200 : 409;
            context.Response.ContentType = "application/problem+json";
            context.Response.ContentLength = body.Length;
            return context.Response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
        });
        await app.RunAsync();
        return 0;
    }
}

/// <summary>
/// Kestrel with the files of a folder, from <c>UseStaticFiles</c> and nothing else. A file <c>x.br</c> or <c>x.gz</c> is sent as what it is packed with.
/// </summary>
public static class FilesServer
{
    public const string Folder = "BENCH_FILES";

    public static async Task<int> RunAsync(string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.WebHost.ConfigureKestrel(options => options.AddServerHeader = false);
        var app = builder.Build();
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = new PhysicalFileProvider(Environment.GetEnvironmentVariable(Folder)!),
            ServeUnknownFileTypes = true,
            DefaultContentType = "text/html; charset=utf-8",
            OnPrepareResponse = file => file.Context.Response.Headers.ContentEncoding = file.File.Name.EndsWith(".br", StringComparison.Ordinal) ? "br" : "gzip",
        });
        app.Run(context => context.Response.WriteAsync("ok", context.RequestAborted));
        await app.RunAsync();
        return 0;
    }
}

/// <summary>
/// The product with no storage: everything of it is there (session, order token, gate, ledger writer, answer), but a batch is answered from memory instead of
/// being written.
/// </summary>
public static class NoStorageServer
{
    public static Task<int> RunAsync(string url) => OtherLedgerServer.RunAsync(url, (ledger, _) => NoStorageLedger.InFrontOf(ledger));
}

/// <summary>The order path of the product with another ledger in front of its own.</summary>
public static class OtherLedgerServer
{
    public static async Task<int> RunAsync(string url, Func<ILedger, StorageOptions, ILedger> replace)
    {
        var builder = ServerSetup.CreateBuilder(["--urls", url]);
        var (settings, errors) = Settings.Read(builder.Configuration, builder.Environment);
        if (settings is null || (errors = await builder.AddStorageAsync(settings)).Count > 0)
        {
            return ServerSetup.Refuse(errors);
        }

        builder.AddKestrel();
        builder.AddStages(settings);
        builder.AddJobs(settings);
        var real = builder.Services.Last(service => service.ServiceType == typeof(ILedger));
        builder.Services.Remove(real);
        builder.Services.AddSingleton(provider => replace((ILedger)real.ImplementationFactory!(provider), settings.Storage));
        var app = builder.Build();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseEdge();
        app.UseOrderCalls();
        app.UseRouting();
        app.UseSessions();
        app.MapHealth();
        app.MapMetrics();
        app.MapOrders();
        await app.RunAsync();
        return 0;
    }
}

/// <summary>Answers batches from memory; everything else is the real ledger's.</summary>
public class NoStorageLedger : DispatchProxy
{
    private readonly Dictionary<OfferId, OfferStock> stocks = [];
    private ILedger ledger = null!;

    public static ILedger InFrontOf(ILedger ledger)
    {
        var proxy = Create<ILedger, NoStorageLedger>();
        ((NoStorageLedger)(object)proxy).ledger = ledger;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(ILedger.PlaceAsync)
            ? PlaceAsync((IReadOnlyList<OrderDraft>)args![0]!)
            : targetMethod.Invoke(ledger, args);

    /// <summary>Called by the one writer lane only.</summary>
    private async Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts)
    {
        var now = TimeProvider.System.GetUtcNow();
        var results = new Dictionary<OrderId, PlacementResult>(drafts.Count);
        foreach (var draft in drafts)
        {
            if (!stocks.TryGetValue(draft.OfferId, out var stock))
            {
                stock = (await ledger.ReadStockAsync([draft.OfferId], CancellationToken.None))[0];
            }

            stocks[draft.OfferId] = stock with { Row = stock.Row.Hold(draft.Id).Row };
            results.Add(draft.Id, new PlacementResult(
                PlacementOutcome.Placed,
                new Order(draft.Id, draft.SaleId, draft.OfferId, draft.UserId, OrderStatus.Held, draft.Price, now, now + draft.PaymentWindow)));
        }

        return new PlacementBatch(results, [.. stocks.Values]);
    }
}

/// <summary>
/// A signed POST and nothing behind it: problems, routing, session, body, order token and order document are the product's, but there is neither gate nor
/// ledger writer. What the order path costs at the least.
/// </summary>
public static class SignedServer
{
    public static async Task<int> RunAsync(string url)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.WebHost.ConfigureKestrel(options => options.AddServerHeader = false);
        var sessions = new Sessions(Key("FlashSale__Auth__SigningKey"), TimeProvider.System);
        var tokens = new OrderTokens(Key("FlashSale__Tokens__SigningKey"), [], TokenAges.Default);
        builder.Services.AddSingleton(sessions);
        var app = builder.Build();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseRouting();
        app.UseSessions();
        app.MapGet("/healthz/ready", () => "ok");
        app.MapPost("/api/v1/orders", (HttpContext context) => AnswerAsync(context, sessions, tokens));
        await app.RunAsync();
        return 0;
    }

    private static async Task AnswerAsync(HttpContext context, Sessions sessions, OrderTokens tokens)
    {
        if (!sessions.TryRead(context, out var session) || await context.ReadJsonAsync(Limits.OrderBodyBytes) is not { } json)
        {
            throw new InvalidOperationException("The benchmark sends only good requests.");
        }

        using (json)
        {
            var now = TimeProvider.System.GetUtcNow();
            var text = System.Text.Encoding.ASCII.GetBytes(json.RootElement.GetProperty("token").GetString()!);
            if (tokens.Verify(text, session.User, now, out var token) != TokenVerdict.Valid)
            {
                throw new InvalidOperationException("The benchmark sends only good requests.");
            }

            var order = new Order(token.OrderId, token.SaleId, token.OfferId, token.UserId, OrderStatus.Held, Money.Cny(9_900), now, now.AddHours(1));
            context.Response.Headers.Location = "/api/v1/orders/" + order.Id;
            await context.WriteDocumentAsync(StatusCodes.Status201Created, OrderDocuments.Of(order), WireJson.Default.OrderDocument);
        }
    }

    private static byte[] Key(string name) => Convert.FromBase64String(Environment.GetEnvironmentVariable(name)!);
}
