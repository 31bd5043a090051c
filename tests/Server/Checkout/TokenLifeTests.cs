using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Checkout;

/// <summary>How long an order token is good, over HTTP and to the millisecond, and across a change of the key that signs it.</summary>
public sealed class TokenLifeTests
{
    [Fact]
    public async Task Submit_AtTheBoundsOfTheTokensAge_IsExactToTheMillisecond()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SteppedServer.StartAsync(folder.Path);
        var (minimum, maximum, one) = (TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), TimeSpan.FromMilliseconds(1));
        var sale = await server.PublishAsync();
        foreach (var (age, good) in new[] { (TimeSpan.Zero, false), (minimum - one, false), (minimum, true), (maximum, true), (maximum + one, false) })
        {
            var user = $"aged-{age.TotalMilliseconds}";
            var issued = (await server.AskTokenAsync(sale, user)).Expect(HttpStatusCode.Created);
            var made = server.Time.GetUtcNow();
            Assert.Equal(made + minimum, issued.Json.GetProperty("usableAt").GetDateTimeOffset());
            Assert.Equal(made + maximum, issued.Json.GetProperty("expiresAt").GetDateTimeOffset());
            server.Time.Advance(age);

            var answer = await server.OrderAsync(user, issued.Text("token"));

            Assert.True(answer.Status == (good ? HttpStatusCode.Created : HttpStatusCode.Forbidden), $"{age}: {(int)answer.Status} {answer.Body}");
            if (!good)
            {
                answer.ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected");
            }
        }
    }

    /// <summary>
    /// Three steps (docs/operations.md): every instance accepts the new key, then signs with it, then forgets the old one. Between two steps some instances have taken
    /// the one and some the other, so each of a pair must accept what the other gave out: tokens, devices, challenges.
    /// </summary>
    [Fact]
    public async Task Key_WhenItIsChangedInThreeSteps_FailsNoOrder()
    {
        using var folder = new TemporaryFolder();
        var time = SteppedServer.Now();
        var (old, next) = (TestServer.NewKey(), TestServer.NewKey());
        string[][] steps = [Keys(old, null), Keys(old, next), Keys(next, old), Keys(next, null)];
        (string User, string Token, string Device)? taken = null;
        var placed = 0;
        // Of each step, the next, and back again; the last is not gone back from.
        foreach (var step in new[] { 0, 1, 0, 1, 2, 1, 2, 3 })
        {
            await using var server = await SteppedServer.StartAsync(folder.Path, time, steps[step]);
            var sale = await server.PublishAsync();
            if (step == 3)
            {
                // The old key goes when the last token that it signed has died.
                time.Advance(TimeSpan.FromMinutes(10));
                taken = null;
            }

            if (taken is { } before)
            {
                var order = (await server.OrderAsync(before.User, before.Token, before.Device)).Expect(HttpStatusCode.Created);
                Assert.Equal(order.Text("id"), (await server.OrderAsync(before.User, before.Token, before.Device)).Expect(HttpStatusCode.OK).Text("id"));
                placed++;
            }

            var user = $"rotated-{placed}-{step}";
            var device = server.OldDevice();
            taken = (user, (await server.AskTokenAsync(sale, user, device: device)).Expect(HttpStatusCode.Created).Text("token"), device);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(6, placed);
        await using var after = await SteppedServer.StartAsync(folder.Path, time, steps[3]);
        (await after.OrderAsync(taken!.Value.User, taken.Value.Token, taken.Value.Device)).Expect(HttpStatusCode.Created);
    }

    private static string[] Keys(string signing, string? previous) =>
        previous is null ? ["Tokens:SigningKey=" + signing] : ["Tokens:SigningKey=" + signing, "Tokens:PreviousSigningKey=" + previous];
}
