using System.Buffers.Text;
using System.Security.Cryptography;


namespace FlashSale.Tools.Load;

/// <summary>How bots behave. What they do is marked in the history, so that the auditor knows which calls had to be refused.</summary>
internal sealed class Attacks(Shopping shopping, ShopClient shop, RunClock clock, Metrics metrics, SessionTokens sessions, CancellationToken stopping)
{
    private const int Rounds = 3;
    private const long RoundEvery = 300_000;
    private const long HastyTokenAge = 300_000;
    private const int StormOfOneToken = 24;
    private const int StormOfEachOther = 6;
    private const int MacBytes = 32;

    /// <summary>Nobody's key.</summary>
    private readonly byte[] ownKey = RandomNumberGenerator.GetBytes(MacBytes);

    /// <summary>How many tokens a bot gets like a shopper before the opening.</summary>
    public static int TokensNeeded(BotKind? bot) => bot switch
    {
        null or BotKind.Forger or BotKind.Repeater => 1,
        BotKind.Stormer => 5,
        _ => 0,
    };

    /// <summary>Whether it reserves like a shopper, so that only its attack can be the reason for a refusal.</summary>
    public static bool Reserves(BotKind bot) => bot is not BotKind.GateCrasher;

    public async Task RunAsync(Entry entry, BotKind bot, long at)
    {
        switch (bot)
        {
            case BotKind.Repeater:
                await shopping.BuyAsync(entry, at);
                return;
            case BotKind.Hasty:
                await BeHastyAsync(entry, at);
                return;
            case BotKind.Stormer:
                await StormAsync(entry, at);
                return;
            case BotKind.GateCrasher when entry.Sale.RequiresReservation:
                await CrashAsync(entry, at);
                return;
            default:
                break;
        }

        for (var round = 0; round < Rounds; round++, at += RoundEvery)
        {
            await clock.DelayUntil(at, stopping);
            foreach (var call in Attempts(entry, bot, at))
            {
                await shop.SendAsync(call);
                metrics.Note($"attacks: {bot}");
            }
        }
    }

    private IEnumerable<Call> Attempts(Entry entry, BotKind bot, long at) => bot switch
    {
        BotKind.Garbage => Garbage().Select(text => Bad(entry, text, "garbage", at)),
        BotKind.Forger => entry.Tokens.Take(1).SelectMany(token => Forgeries(token.Text, ownKey)).Select(text => Bad(entry, text, "forged", at)),
        BotKind.Thief => Victims(entry).Select(token => shopping.OrderCall(entry, token, at) with { MustRefuse = "stolen" }),
        BotKind.Stranger => Victims(entry).SelectMany(token => Sessions(entry).Select(session =>
            shopping.OrderCall(entry, token, at) with { MustRefuse = "no-session", Authorization = session })),
        _ => NoTokens().Select(body => Bad(entry, "", "no-token", at) with { Body = body }),
    };

    private Call Bad(Entry entry, string text, string why, long at) =>
        shopping.OrderCall(entry, HeldToken.Of(text, at, at), at) with { MustRefuse = why };

    private static IEnumerable<byte[]> NoTokens() => ["{}"u8.ToArray(), """{"token":""}"""u8.ToArray(), """{"token":null}"""u8.ToArray(), "[]"u8.ToArray()];

    public static IEnumerable<string> Garbage() =>
    [
        "x",
        Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(90)),
        new string('A', 195),
        new string('A', 3_000),
    ];

    /// <summary>Single bits in every part of a token, its last byte gone, and the whole signed with a key that is not the server's.</summary>
    public static List<string> Forgeries(string token, byte[] ownKey)
    {
        var forged = new List<string>();
        if (!Base64Url.IsValid(token))
        {
            return forged;
        }

        var bytes = Base64Url.DecodeFromChars(token);
        foreach (var part in (ReadOnlySpan<double>)[0.05, 0.3, 0.6, 0.9, 0.99])
        {
            var flipped = bytes.ToArray();
            flipped[(int)(part * (bytes.Length - 1))] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
            forged.Add(Base64Url.EncodeToString(flipped));
        }

        forged.Add(Base64Url.EncodeToString(bytes.AsSpan(0, bytes.Length - 1)));
        if (bytes.Length > MacBytes)
        {
            var signed = bytes.ToArray();
            HMACSHA256.HashData(ownKey, signed.AsSpan(0, signed.Length - MacBytes), signed.AsSpan(signed.Length - MacBytes));
            forged.Add(Base64Url.EncodeToString(signed));
        }

        return forged;
    }

    /// <summary>A token of somebody who wants the same offer.</summary>
    private static IEnumerable<HeldToken> Victims(Entry entry)
    {
        var honest = entry.Offer.Honest;
        return honest.Count == 0 ? [] : honest[Random.Shared.Next(honest.Count)].Tokens.Take(1).ToArray();
    }

    private IEnumerable<string> Sessions(Entry entry)
    {
        var now = RunClock.ToTime(clock.Now);
        var claims = entry.User.Bearer.Split('.')[1];
        return
        [
            "",
            "Bearer x",
            "Bearer " + new SessionTokens(ownKey).Create(entry.User.Name, now.AddHours(1)),
            "Bearer " + sessions.Create(entry.User.Name, now.AddHours(-1)),
            $"Bearer {Base64Url.EncodeToString("""{"alg":"none","typ":"JWT"}"""u8)}.{claims}.",
        ];
    }

    /// <summary>In the instant of the opening with a token that is too young by then, and later like a person.</summary>
    private async Task BeHastyAsync(Entry entry, long opening)
    {
        await clock.DelayUntil(opening - HastyTokenAge, stopping);
        if (await shopping.GetTokenAsync(entry, opening - HastyTokenAge) is not { } token)
        {
            return;
        }

        await clock.DelayUntil(opening, stopping);
        await shop.SendAsync(shopping.OrderCall(entry, token, Math.Max(opening, clock.Now)) with { YoungSince = token.AskedAt });
        metrics.Note($"attacks: {BotKind.Hasty}");
        await shopping.BuyAsync(entry, token.UsableAt);
    }

    private async Task StormAsync(Entry entry, long at)
    {
        var usable = entry.Tokens.Select(token => token.UsableAt).DefaultIfEmpty(at).Max();
        at = Math.Max(at, usable);
        await clock.DelayUntil(at, stopping);
        var calls = new List<(HeldToken Token, Task<Answer> Answer)>();
        for (var i = 0; i < entry.Tokens.Count; i++)
        {
            for (var n = 0; n < (i == 0 ? StormOfOneToken : StormOfEachOther); n++)
            {
                calls.Add((entry.Tokens[i], shop.SendAsync(shopping.OrderCall(entry, entry.Tokens[i], at))));
            }
        }

        metrics.Note($"attacks: {BotKind.Stormer}");
        var won = new Dictionary<string, (HeldToken Token, string? State)>();
        foreach (var (token, pending) in calls)
        {
            var answer = await pending;
            if (answer is { IsSuccess: true, Id: { } order })
            {
                won[order] = (token, answer.State);
            }
        }

        foreach (var (order, (token, state)) in won)
        {
            await shopping.EndAsync(entry, token, order, state);
        }

        if (won.Count == 0 && entry.Tokens.Count > 0)
        {
            await shopping.BuyAsync(entry, clock.Now);
        }
    }

    private async Task CrashAsync(Entry entry, long at)
    {
        for (var round = 0; round < Rounds; round++, at += RoundEvery)
        {
            await clock.DelayUntil(at, stopping);
            var asked = clock.Now;
            var answer = await shop.SendAsync(Shopping.TokenCall(entry, at) with { MustRefuse = "not-reserved" });
            metrics.Note($"attacks: {BotKind.GateCrasher}");
            if (answer.Token is { } text)
            {
                var token = HeldToken.Of(text, asked, clock.Now + Shopping.TokenAge);
                await clock.DelayUntil(token.UsableAt, stopping);
                await shop.SendAsync(shopping.OrderCall(entry, token, token.UsableAt) with { MustRefuse = "not-reserved" });
            }
        }
    }
}
