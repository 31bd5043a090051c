using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Tokens;

using Xunit;

namespace FlashSale.Tests.Core.Tokens;

/// <summary>A million texts that were order tokens once: none of them is taken for one.</summary>
public sealed class TokenFuzzTests
{
    private const int Mutations = 1_000_000;
    private static readonly DateTimeOffset Now = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Verify_OfAMillionMutations_TakesNone()
    {
        var random = new Random(20_261_123);
        var user = UserId.Parse("alice");
        var (key, previous) = (Bytes(random, 32), Bytes(random, 32));
        var tokens = new OrderTokens(key, [previous], TokenAges.Default);
        var makers = new[] { tokens, new OrderTokens(previous, [], TokenAges.Default) };
        // The same user's, of several offers, devices and both keys, so that a splice has something to win.
        var good = Enumerable.Range(0, 64)
            .Select(i => Encoding.ASCII.GetBytes(makers[i % 2].Create(new OrderToken(
                Now, OrderId.Create(Now), new SaleId(1 + (i % 3)), new OfferId(1 + (i % 7)), user, new DeviceId((ulong)(i % 5))))))
            .ToArray();
        var known = good.Select(token => Encoding.ASCII.GetString(token)).ToHashSet(StringComparer.Ordinal);
        Assert.All(good, token => Assert.Equal(TokenVerdict.Valid, tokens.Verify(token, user, Now.AddSeconds(5), out _)));

        var tried = 0;
        var seen = new HashSet<TokenVerdict>();
        for (var i = 0; tried < Mutations; i++)
        {
            var mutant = Mutate(random, i % 8, good[random.Next(good.Length)], good[random.Next(good.Length)]);
            var verdict = tokens.Verify(mutant, user, Now.AddSeconds(5), out _);
            if (verdict == TokenVerdict.Valid)
            {
                // What was cut and put together the same way again.
                Assert.True(known.Contains(Encoding.ASCII.GetString(mutant)), $"Mutation {i} was taken: {Encoding.Latin1.GetString(mutant)}");
                continue;
            }

            seen.Add(verdict);
            tried++;
        }

        Assert.Equal([TokenVerdict.Malformed, TokenVerdict.UnknownKey, TokenVerdict.Forged], seen.Order());
    }

    private static byte[] Mutate(Random random, int kind, byte[] token, byte[] other)
    {
        switch (kind)
        {
            case 0:
                // A bit of the text.
                return Flip(random, [.. token]);
            case 1:
                // A bit or a few of what it says.
                var bytes = Decode(token);
                for (var n = random.Next(1, 4); n > 0; n--)
                {
                    Flip(random, bytes);
                }

                return Encode(bytes);
            case 2:
                // The start of one and the end of another.
                var (a, b) = (Decode(token), Decode(other));
                var cut = random.Next(1, a.Length);
                return Encode([.. a[..cut], .. b[cut..]]);
            case 3:
                return random.Next(2) == 0 ? token[..random.Next(token.Length)] : [.. token, .. Bytes(random, random.Next(1, 9))];
            case 4:
                // Other cases of some letters.
                var text = token.ToArray();
                for (var n = random.Next(1, 6); n > 0; n--)
                {
                    var at = random.Next(text.Length);
                    text[at] = char.IsAsciiLetter((char)text[at]) ? (byte)(text[at] ^ 0x20) : (byte)'A';
                }

                return text;
            case 5:
                // Another's field, signed again with a key that is not ours, under our key's id.
                var forged = Decode(token);
                var field = random.Next(5, forged.Length - 32);
                forged[field] ^= (byte)random.Next(1, 256);
                HMACSHA256.HashData(Bytes(random, 32), forged.AsSpan(0, forged.Length - 32), forged.AsSpan(forged.Length - 32));
                return Encode(forged);
            case 6:
                // A run of another token within this one.
                var (into, from) = (token.ToArray(), other);
                var start = random.Next(into.Length);
                var length = random.Next(1, Math.Min(into.Length - start, 40) + 1);
                from.AsSpan(start, length).CopyTo(into.AsSpan(start));
                return into;
            default:
                return random.Next(2) == 0 ? Bytes(random, random.Next(0, 300)) : Encode(Bytes(random, random.Next(80, 151)));
        }
    }

    private static byte[] Flip(Random random, byte[] bytes)
    {
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes;
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Decode(byte[] text) => Base64Url.DecodeFromUtf8(text);

    private static byte[] Encode(byte[] bytes) => Base64Url.EncodeToUtf8(bytes);
}
