using FlashSale.Tools;

using Xunit;

namespace FlashSale.Tests.Tools;

public sealed class CommandLineTests
{
    private static readonly string Key = Convert.ToBase64String(new byte[32]);
    private static readonly string[] Load =
    [
        "load", "--target", "http://127.0.0.1:9", "--auth-key", Key, "--sales", "1", "--offers", "1", "--stock", "1", "--users", "1",
        "--bots", "0", "--rate", "1", "--seed", "1", "--report", Path.Combine(Path.GetTempPath(), "flashsale-command-line-tests"),
    ];

    [Theory]
    [InlineData("--sales", "0")]
    [InlineData("--sales", "101")]
    [InlineData("--offers", "51")]
    [InlineData("--stock", "x")]
    [InlineData("--users", "-1")]
    [InlineData("--bots", "101")]
    [InlineData("--rate", "1.5")]
    [InlineData("--seed", "")]
    [InlineData("--payment-window", "1")]
    [InlineData("--timeout", "0")]
    [InlineData("--target", "localhost")]
    [InlineData("--target", "ftp://localhost")]
    [InlineData("--auth-key", "not base64!")]
    [InlineData("--auth-key", "c2hvcnQ=")]
    [InlineData("--auth-key", "@/no/such/file")]
    public async Task RunAsync_WhenAnOptionIsWrong_NamesItAndExitsWith2(string option, string value)
    {
        var (code, errors) = await RunAsync(With(option, value));

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains(option, errors);
    }

    [Fact]
    public async Task RunAsync_WhenSeveralOptionsAreWrong_NamesThemAll()
    {
        var (code, errors) = await RunAsync("load", "--sales", "0", "--bots", "200");

        Assert.Equal(ExitCodes.Usage, code);
        Assert.All((string[])["--sales", "--bots", "--target", "--auth-key", "--report"], option => Assert.Contains(option, errors));
    }

    [Fact]
    public async Task RunAsync_WhenTheKeyIsWrong_DoesNotRepeatIt()
    {
        var (_, errors) = await RunAsync(With("--auth-key", "SECRET!"));

        Assert.DoesNotContain("SECRET", errors);
    }

    [Fact]
    public async Task RunAsync_WhenTheTargetIsRemote_AsksForPermission()
    {
        var (code, errors) = await RunAsync(With("--target", "http://10.1.2.3"));

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("--allow-remote", errors);
    }

    [Fact]
    public async Task RunAsync_WhenNothingListens_SaysSo()
    {
        var (code, errors) = await RunAsync(Load);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("127.0.0.1:9", errors);
    }

    [Fact]
    public async Task RunAsync_WhenThereIsNoHistory_SaysSo()
    {
        var (code, errors) = await RunAsync("verify", "--target", "http://127.0.0.1:9", "--auth-key", Key, "--history", "/no/such/file");

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("history", errors);
    }

    [Fact]
    public async Task RunAsync_WhenCancelAndAbandonAreMoreThanAll_SaysSo()
    {
        var (code, errors) = await RunAsync([.. Load, "--cancel", "60", "--abandon", "41"]);

        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("--abandon", errors);
    }

    [Fact]
    public async Task RunAsync_WhenThereIsNoCommand_ExitsWith2() => Assert.Equal(ExitCodes.Usage, (await RunAsync()).Code);

    [Fact]
    public async Task RunAsync_WhenAskedForHelp_ExitsWith0() => Assert.Equal(0, (await RunAsync("load", "--help")).Code);

    private static string[] With(string option, string value)
    {
        var args = Load.ToList();
        var at = args.IndexOf(option);
        if (at >= 0)
        {
            args[at + 1] = value;
            return [.. args];
        }

        return [.. args, option, value];
    }

    private static async Task<(int Code, string Errors)> RunAsync(params string[] args)
    {
        var errors = new StringWriter();
        var code = await CommandLine.RunAsync(args, new StringWriter(), errors, TimeProvider.System);
        return (code, errors.ToString());
    }
}
