using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;

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
/// The signed POST with no storage: the product's own pipeline (problems, routing, session, body, order token, order document), and neither gate nor
/// ledger behind it.
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
