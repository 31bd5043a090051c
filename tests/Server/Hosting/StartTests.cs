using Xunit;

namespace FlashSale.Tests.Server.Hosting;

public sealed class StartTests
{
    [Fact]
    public async Task Start_WithManyWrongSettings_ListsThemAllAndEndsWithOne()
    {
        var run = await ServerRun.StartAsync(
            ("FlashSale__Roles", "cashier"),
            ("FlashSale__Auth__SigningKey", "c2hvcnQ="),
            ("FlashSale__Tokens__MaximumAge", "never"),
            ("FlashSale__TrustedProxies", "everybody"),
            ("FlashSale__Ledger__Provider", "oracle"),
            ("FlashSale__Nonsense", "1"));

        Assert.Equal(1, run.ExitCode);
        foreach (var key in new[] { "Roles", "Auth__SigningKey", "Tokens__MaximumAge", "TrustedProxies", "Ledger__Provider", "Nonsense" })
        {
            Assert.Contains($"  - FlashSale__{key} ", run.Errors, StringComparison.Ordinal);
        }

        AssertNoStackTrace(run);
    }

    [Fact]
    public async Task Start_OnTheDataOfARunningServer_IsRefused()
    {
        await using var server = await TestServer.StartAsync();
        var run = await ServerRun.StartAsync(("FlashSale__DataDirectory", server.DataDirectory));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("another FlashSale process", run.Errors, StringComparison.Ordinal);
        Assert.Contains(server.DataDirectory, run.Errors, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Fact]
    public async Task Start_OnAPortThatIsTaken_IsRefused()
    {
        await using var server = await TestServer.StartAsync();
        var run = await ServerRun.StartAsync(("ASPNETCORE_URLS", server.Address.ToString()));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(server.Address.Port.ToString(), run.Errors, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("ftp://127.0.0.1:0")]
    public async Task Start_WithAnAddressThatIsNone_IsRefused(string urls)
    {
        var run = await ServerRun.StartAsync(("ASPNETCORE_URLS", urls));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Urls", run.Errors, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Fact]
    public async Task Start_WhenNeitherStoreAnswers_SaysBothAndNoPassword()
    {
        var run = await ServerRun.StartAsync(
            ("FlashSale__Auth__SigningKey", Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32))),
            ("FlashSale__Ledger__Provider", "mysql"),
            ("ConnectionStrings__Ledger", "Server=127.0.0.1;Port=1;Database=flashsale;User ID=flashsale;Password=hunter2"),
            ("FlashSale__Gate__Provider", "redis"),
            ("ConnectionStrings__Gate", "127.0.0.1:2,password=hunter2"));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("127.0.0.1:1", run.Errors, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:2", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", run.Errors, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Fact]
    public async Task Start_WithRedisWhereTheLedgerShouldBe_IsRefusedAndTheOtherWayRound()
    {
        await using var redis = await Servers.RedisServer.StartAsync();
        await using var database = await Servers.MariaDb.StartAsync();
        var run = await ServerRun.StartAsync(
            ("FlashSale__Auth__SigningKey", Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32))),
            ("FlashSale__Ledger__Provider", "mysql"),
            ("ConnectionStrings__Ledger", $"Server=127.0.0.1;Port={redis.Port};Database=flashsale;User ID=flashsale;Password=hunter2"),
            ("FlashSale__Gate__Provider", "redis"),
            ("ConnectionStrings__Gate", $"127.0.0.1:{database.Port}"));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("The ledger is not available", run.Errors, StringComparison.Ordinal);
        Assert.Contains("Redis", run.Errors, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    private static void AssertNoStackTrace(ServerRun run) => Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
}
