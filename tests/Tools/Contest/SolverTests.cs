using System.Security.Cryptography;
using System.Text;

using FlashSale.Tools.Contest;
using FlashSale.Tools.Load;

using Xunit;

namespace FlashSale.Tests.Tools.Contest;

public sealed class SolverTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(13)]
    public void Work_OfSoManyBits_HasThem(int bits)
    {
        var nonce = Solver.Work("AbC-123_x", bits);
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes($"AbC-123_x:{nonce}"));

        Assert.StartsWith(new string('0', bits), string.Concat(hash.Take(4).Select(one => one.ToString("b8", null))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("What is three plus four?", 7)]
    [InlineData("What is twenty plus nineteen?", 39)]
    [InlineData("What is three minus four?", null)]
    [InlineData("What is many plus few?", null)]
    [InlineData("plus", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void AnswerTo_AQuestion_IsTheSum(string? question, int? answer) => Assert.Equal(answer, Solver.AnswerTo(question));

    [Fact]
    public void TakeTurn_OfBots_IsOneAfterTheOther()
    {
        var solver = Make(hashes: 1_000);

        Assert.Equal(1_500_000, solver.TakeTurn(500_000, 1_000, long.MaxValue));
        Assert.Equal(3_500_000, solver.TakeTurn(500_000, 2_000, long.MaxValue));
        // Whoever would have to wait too long does not begin, and holds nobody up.
        Assert.Null(solver.TakeTurn(500_000, 1_000, 4_000_000));
        Assert.Equal(4_500_000, solver.TakeTurn(500_000, 1_000, 4_500_000));
        Assert.Equal(10_001_000, solver.TakeTurn(10_000_000, 1, long.MaxValue));
    }

    [Fact]
    public void Solve_WhenTheBotsComputerIsBusy_AnswersTheQuestion()
    {
        var (at, solution) = Make(hashes: 1).Solve(Kind.Instant, new Challenge("stamp", 8, "What is two plus two?"), 1_000, now: 7);

        Assert.Equal(7 + Behaviour.AnswerAfter, at);
        Assert.Equal("""{"challenge":"stamp","answer":"4"}""", solution);
    }

    [Fact]
    public void Solve_OfAPerson_TakesAsLongAsAPhone()
    {
        var (at, solution) = Make(hashes: 1).Solve(Kind.Person, new Challenge("stamp", 8, "What is two plus two?"), 2 * Behaviour.PhoneHashes, now: 7);

        Assert.Equal(2_000_007, at);
        Assert.Equal($$"""{"challenge":"stamp","nonce":"{{Solver.Work("stamp", 8)}}"}""", solution);
    }

    [Fact]
    public async Task SolveAsync_OfMoreBitsThanAServerMayAsk_DoesNothing() =>
        Assert.Null(await Make(hashes: 1).SolveAsync(CrowdTests.Someone(Kind.Person, out _), new Challenge("stamp", 40, null)));

    private static Solver Make(long hashes) =>
        new(CrowdTests.Settings() with { BotHashes = hashes }, new RunClock(TimeProvider.System), CancellationToken.None);
}
