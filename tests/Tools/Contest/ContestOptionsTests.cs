using FlashSale.Tools;

using Xunit;

namespace FlashSale.Tests.Tools.Contest;

public sealed class ContestOptionsTests
{
    private static readonly string[] Contest =
    [
        "load", "--contest", "--target", "http://127.0.0.1:9", "--auth-key", Convert.ToBase64String(new byte[32]), "--seed", "1",
        "--report", Path.Combine(Path.GetTempPath(), "flashsale-contest-options-tests"),
    ];

    [Theory]
    [InlineData("--people", "0")]
    [InlineData("--bots-per-person", "-1")]
    [InlineData("--hoarders", "0")]
    [InlineData("--strategies", "instant,nobody")]
    [InlineData("--strategies", "people")]
    [InlineData("--strategies", "instant,instant")]
    [InlineData("--defences", "some")]
    [InlineData("--bot-hashes", "0")]
    [InlineData("--challenge-bits", "7")]
    [InlineData("--challenge-bits", "25")]
    [InlineData("--risk-threshold", "101")]
    [InlineData("--stock", "0")]
    public async Task RunAsync_WhenAnOptionOfAContestIsWrong_NamesIt(string option, string value)
    {
        var (code, errors) = await RunAsync([.. Contest, option, value]);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains(option, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WhenThereAreTooManyAccounts_SaysSo()
    {
        var (code, errors) = await RunAsync([.. Contest, "--people", "50000", "--bots-per-person", "1000"]);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("50,050,000", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WhenHoardersAreNotAmongTheStrategies_SaysSo()
    {
        var (code, errors) = await RunAsync([.. Contest, "--hoarders", "10"]);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("--strategies", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--strategies", "instant,farm,replay,forged,device-farm,address-farm,hoarders,spoof,mimic")]
    [InlineData("--defences", "both")]
    public async Task RunAsync_WhenTheOptionsAreRight_GoesToTheServer(string option, string value)
    {
        var (code, errors) = await RunAsync([.. Contest, option, value]);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("http://127.0.0.1:9/ does not answer", errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Errors)> RunAsync(params string[] args)
    {
        var errors = new StringWriter();
        var code = await CommandLine.RunAsync(args, new StringWriter(), errors, TimeProvider.System);
        return (code, errors.ToString());
    }
}
