using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Http;

/// <summary>What a request for a reservation or an order token carries, if anything.</summary>
/// <param name="Visit">The stamp of a visit, not looked at yet.</param>
public sealed record Ask(string? Visit, Solution? Solution)
{
    public static Ask Nothing { get; } = new(null, null);
}

public static class Asks
{
    /// <summary>Longer than any solution: one that is too long is wrong, and not unreadable.</summary>
    private const int SolutionLength = 4 * Limits.NonceLength;

    /// <summary>The optional body of such a request; no body is as good as an empty object. Null after a problem was written: 413, 415, 400, 422.</summary>
    public static async Task<Ask?> ReadAskAsync(this HttpContext context)
    {
        var bytes = await context.ReadBytesAsync(Limits.AskBodyBytes);
        if (bytes is not { Length: > 0 })
        {
            return bytes is null ? null : Ask.Nothing;
        }

        using var document = await context.ParseJsonAsync(bytes);
        if (document is null)
        {
            return null;
        }

        var fields = new FieldReader(document.RootElement);
        var ask = new Ask(TextOrNull(fields, "visit", Stamps.MaxLength), fields.Has("solution") ? ReadSolution(fields.Object("solution")) : null);
        if (fields.IsValid)
        {
            return ask;
        }

        await context.WriteProblemAsync(ProblemCode.InvalidFields, new ProblemDetail { Errors = fields.Errors });
        return null;
    }

    /// <summary>403 <c>challenge-required</c>, with the challenge.</summary>
    public static Task WriteChallengeAsync(this HttpContext context, Challenge challenge, TimeSpan wait) => context.WriteProblemAsync(
        ProblemCode.ChallengeRequired,
        new ProblemDetail
        {
            Challenge = new ChallengeDocument(challenge.Stamp, "sha-256", challenge.Bits, challenge.Question, challenge.ExpiresAt),
            Detail = wait > TimeSpan.Zero ? "The answer came sooner than a person gives one. Answer the same question again after retryAfterMs." : null,
            RetryAfterMs = wait > TimeSpan.Zero ? (long)Math.Ceiling(wait.TotalMilliseconds) : null,
        });

    private static Solution ReadSolution(FieldReader fields) => new(
        fields.Text("challenge", Stamps.MaxLength), TextOrNull(fields, "nonce", SolutionLength), TextOrNull(fields, "answer", SolutionLength));

    private static string? TextOrNull(FieldReader fields, string name, int maxLength) => fields.Has(name) ? fields.Text(name, maxLength) : null;
}
