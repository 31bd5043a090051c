using System.Text;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;

namespace FlashSale.Server.Risk;

/// <summary>How the sandbox behaves, until somebody says otherwise.</summary>
/// <param name="LatencyMs">0 to 60,000.</param>
/// <param name="FailPercent">Of the requests, that are answered with 500.</param>
/// <param name="MalformedPercent">Of the requests, that are answered with what is no such document.</param>
/// <param name="Down">Connections are broken off.</param>
public sealed record SandboxBehaviour(int LatencyMs, int FailPercent, int MalformedPercent, bool Down);

/// <summary>
/// Providers of risk signals for demonstrations and tests (docs/risk.md): what they say follows from the user's id. Anybody may ask and tell it how to behave:
/// it is mapped where the role <c>risk-sandbox</c> is asked for, and nowhere else.
/// </summary>
public sealed class RiskSandbox(TimeProvider time)
{
    private const int LatencyMaxMs = 60_000;
    private volatile SandboxBehaviour behaviour = new(0, 0, 0, false);
    private int requests;

    public static void Map(IEndpointRouteBuilder app)
    {
        var sandbox = new RiskSandbox(app.ServiceProvider.GetRequiredService<TimeProvider>());
        var group = app.MapGroup("/sandbox").ExcludeFromDescription();
        group.MapGet("/profiles/{userId}", (string userId, HttpContext context) => sandbox.AnswerAsync(context, ProfileOf(userId)));
        group.MapGet("/credit/{userId}", (string userId, HttpContext context) => sandbox.AnswerAsync(context, CreditOf(userId)));
        group.MapPut("/behaviour", sandbox.BehaveAsync);
    }

    /// <summary>Null: nothing is known.</summary>
    public static string? ProfileOf(string userId) => Says(userId, "unknown") ? null : string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $$"""
        {"accountAgeDays": {{(Says(userId, "new") ? 0 : 30 + (Hash(userId) % 2_000))}}, "phoneVerified": {{(Says(userId, "nophone") ? "false" : "true")}},
         "pastOrders": {{Hash(userId) % 7}}, "unpaidHolds": {{(Says(userId, "unpaid") ? 5 : 0)}}, "bans": {{(Says(userId, "banned") ? 1 : 0)}}}
        """);

    /// <summary>Null: nothing is known.</summary>
    public static string? CreditOf(string userId) => Says(userId, "unknown") ? null : $$"""{"risk": {{(Says(userId, "bad") ? 95 : Says(userId, "fair") ? 60 : Hash(userId) % 40)}}}""";

    private async Task BehaveAsync(HttpContext context)
    {
        using var body = await context.ReadJsonAsync(Limits.OrderBodyBytes);
        if (body is null)
        {
            return;
        }

        var fields = new FieldReader(body.RootElement);
        var asked = new SandboxBehaviour(
            (int)fields.Number("latencyMs", 0, LatencyMaxMs, 0),
            (int)fields.Number("failPercent", 0, 100, 0),
            (int)fields.Number("malformedPercent", 0, 100, 0),
            fields.Flag("down", false));
        if (!fields.IsValid)
        {
            await context.WriteProblemAsync(ProblemCode.InvalidFields, new ProblemDetail { Errors = fields.Errors });
            return;
        }

        behaviour = asked;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task AnswerAsync(HttpContext context, string? document)
    {
        var now = behaviour;
        if (now.LatencyMs > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(now.LatencyMs), time, context.RequestAborted);
        }

        // Spread evenly: 37 and 100 have no common factor.
        var draw = (int)((uint)Interlocked.Increment(ref requests) * 37L % 100);
        if (now.Down)
        {
            context.Abort();
        }
        else if (draw < now.FailPercent)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
        else if (draw >= 100 - now.MalformedPercent)
        {
            await WriteAsync(context, """{"risk": 700, "accountAgeDays": "old"}""");
        }
        else if (document is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else
        {
            await WriteAsync(context, document);
        }
    }

    private static Task WriteAsync(HttpContext context, string document)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(document, context.RequestAborted);
    }

    private static bool Says(string userId, string word) => userId.Contains(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>The same on every machine, unlike that of the runtime (FNV-1a).</summary>
    private static int Hash(string userId)
    {
        var hash = 2_166_136_261u;
        foreach (var one in Encoding.UTF8.GetBytes(userId))
        {
            hash = unchecked((hash ^ one) * 16_777_619u);
        }

        return (int)(hash & 0x7FFF_FFFF);
    }
}
