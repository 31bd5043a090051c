using System.Text.Json;

using FlashSale.Tools;
using FlashSale.Tools.Overload;

using Xunit;

namespace FlashSale.Tests.Tools.Overload;

[Collection(PeakCollection.Name)]
public sealed class OverloadRunTests
{
    [Fact]
    public async Task Load_WithOverloadOnAShopThatLosesOrders_MeasuresAndNamesIt()
    {
        await using var shop = await ToyShop.StartAsync(Fault.LosesOrders);
        var directory = Directory.CreateTempSubdirectory("flashsale-overload-").FullName;
        var output = new StringWriter();
        var console = Spectre.Console.AnsiConsole.Create(new Spectre.Console.AnsiConsoleSettings { Out = new Spectre.Console.AnsiConsoleOutput(output) });
        var settings = new OverloadSettings
        {
            Target = new Uri(shop.Address),
            AuthKey = shop.AuthKey,
            Factors = [0.1],
            Length = TimeSpan.FromSeconds(1),
            Seed = 7,
            ReportDirectory = directory,
            Connections = 64,
            Sources = 8,
            Users = 1_000,
            WarmUpOrders = 100,
            MeasureLength = TimeSpan.FromSeconds(0.5),
            RecoveryLength = TimeSpan.FromSeconds(0.5),
        };
        using var run = new OverloadRun(settings, console, TimeProvider.System);

        var code = await run.RunAsync(CancellationToken.None);

        Assert.True(code == ExitCodes.Violated, $"{code}: {output}");
        var result = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "result.json")));
        var spike = result.GetProperty("spikes")[0];
        Assert.True(result.GetProperty("peakOrdersPerSecond").GetDouble() > 0);
        Assert.True(spike.GetProperty("ordersPerSecond").GetDouble() > 0);
        Assert.All(spike.GetProperty("probes").EnumerateArray(), probe => Assert.True(probe.GetProperty("tried").GetInt64() > 0));
        Assert.Equal(100, spike.GetProperty("protectedPercent").GetDouble());
        Assert.Contains("I2", result.GetProperty("verdict").GetProperty("summary").GetString(), StringComparison.Ordinal);
        var page = await File.ReadAllTextAsync(Path.Combine(directory, "report.html"));
        Assert.Contains("0.1 times the peak", page, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData("--overload", "2,x")]
    [InlineData("--overload", "0")]
    [InlineData("--overload", "101")]
    [InlineData("--seconds", "0")]
    public async Task Load_WhenAnOptionOfAnOverloadIsWrong_NamesIt(string option, string value)
    {
        string[] args = ["load", "--overload", "2", "--seconds", "1", "--target", "http://127.0.0.1:9", "--auth-key", Convert.ToBase64String(new byte[32]), "--seed", "7", "--report", "x"];
        args[Array.IndexOf(args, option) + 1] = value;
        var errors = new StringWriter();

        Assert.Equal(ExitCodes.Usage, await CommandLine.RunAsync(args, new StringWriter(), errors, TimeProvider.System));
        Assert.Contains(option, errors.ToString(), StringComparison.Ordinal);
    }
}
