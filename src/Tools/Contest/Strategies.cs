using System.Security.Cryptography;

using FlashSale.Core;
using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <summary>What each kind does in a round, from the start to its order. What can only be refused is marked for the auditor.</summary>
internal sealed class Strategies(Steps steps, ShopClient shop, RunClock clock, IReadOnlyList<Participant> everybody, long start, long opening, CancellationToken stopping)
{
    private const long ReplaysBeforeWithin = 600_000;
    private const int ForgeryRounds = 2;
    private readonly byte[] ownKey = RandomNumberGenerator.GetBytes(Limits.SigningKeyBytes);

    public async Task RunAsync(Participant one)
    {
        await clock.DelayUntil(start + one.Plan.VisitAt, stopping);
        await steps.VisitAsync(one);
        await clock.DelayUntil(clock.Now + one.Plan.Dwell, stopping);
        if (!await steps.ReserveAsync(one) && one.Kind == Kind.Person)
        {
            // Told so; a program tries all the same.
            return;
        }

        await clock.DelayUntil(opening - one.Plan.CheckoutBefore, stopping);
        var tokens = await GetTokensAsync(one);
        var at = opening + one.Plan.React;
        // Whoever plays tricks orders as well, at the same time.
        var trick = one.Kind switch
        {
            Kind.Replay => ReplayAsync(one, tokens.FirstOrDefault(), at),
            Kind.Forged => ForgeAsync(one, tokens.FirstOrDefault(), at),
            _ => Task.CompletedTask,
        };
        await Task.WhenAll(trick, tokens.Count == 0 ? Task.CompletedTask : TakeAsync(one, tokens, at));
    }

    private async Task TakeAsync(Participant one, List<HeldToken> tokens, long at)
    {
        if (one.Kind == Kind.Spoof)
        {
            await clock.DelayUntil(at, stopping);
            await shop.SendAsync(steps.OrderCall(one, tokens[0], at) with { Host = "localhost" });
        }

        var first = one.Kind == Kind.Farm ? await SprayAsync(one, tokens, at) : tokens[0];
        var state = await steps.BuyAsync(one, first, at);
        if (one.Kind == Kind.Hoarder)
        {
            await HoardAsync(one, tokens, state);
        }
    }

    private async Task<List<HeldToken>> GetTokensAsync(Participant one)
    {
        List<HeldToken> tokens = [];
        while (tokens.Count < one.Plan.Tokens && await steps.GetTokenAsync(one, patient: tokens.Count == 0) is { } token)
        {
            tokens.Add(token);
            if (clock.Now > opening)
            {
                break;
            }
        }

        return tokens;
    }

    /// <returns>The one that won, or any.</returns>
    private async Task<HeldToken> SprayAsync(Participant one, List<HeldToken> tokens, long at)
    {
        await clock.DelayUntil(Math.Max(at, tokens.Max(token => token.UsableAt)), stopping);
        var answers = await Task.WhenAll(tokens.Select(token => shop.SendAsync(steps.OrderCall(one, token, clock.Now))));
        var won = answers.IndexOf(answers.FirstOrDefault(answer => answer.IsSuccess));
        return tokens[Math.Max(0, won)];
    }

    private async Task ReplayAsync(Participant one, HeldToken? own, long at)
    {
        if (own is not null)
        {
            for (var n = 0; n < Behaviour.ReplaysBefore; n++)
            {
                var due = Math.Max(own.UsableAt, opening - ReplaysBeforeWithin + (n * ReplaysBeforeWithin / Behaviour.ReplaysBefore));
                await clock.DelayUntil(due, stopping);
                await shop.SendAsync(steps.OrderCall(one, own, due));
            }
        }

        await clock.DelayUntil(at, stopping);
        var calls = Enumerable.Repeat(own, Behaviour.ReplaysAfter).OfType<HeldToken>().Select(token => steps.OrderCall(one, token, at))
            .Concat(Enumerable.Range(0, Behaviour.Thefts).Select(_ => Stolen(one)).OfType<HeldToken>()
                .Select(token => steps.OrderCall(one, token, at) with { MustRefuse = "stolen" }));
        await Task.WhenAll(calls.ToList().Select(shop.SendAsync));
    }

    private async Task ForgeAsync(Participant one, HeldToken? own, long at)
    {
        var forged = (own ?? Stolen(one)) is { } model ? Attacks.Forgeries(model.Text, ownKey) : [.. Attacks.Garbage()];
        await clock.DelayUntil(at, stopping);
        for (var n = 0; n < ForgeryRounds; n++)
        {
            foreach (var text in forged)
            {
                await shop.SendAsync(steps.OrderCall(one, HeldToken.Of(text, at, at), clock.Now) with { MustRefuse = "forged" });
            }
        }
    }

    /// <summary>The token of somebody else, as a leak would show it.</summary>
    private HeldToken? Stolen(Participant one)
    {
        var victim = everybody[one.Random.Next(everybody.Count)];
        return victim == one ? null : victim.FirstToken;
    }

    /// <summary>Again with each token, and then with new ones, until it is refused or everything is sold.</summary>
    private async Task HoardAsync(Participant one, List<HeldToken> tokens, string? state)
    {
        for (var next = 1; state == "expired"; next++)
        {
            var token = next < tokens.Count ? tokens[next] : await steps.GetTokenAsync(one);
            state = token is null ? null : await steps.BuyAsync(one, token, clock.Now);
        }
    }
}
