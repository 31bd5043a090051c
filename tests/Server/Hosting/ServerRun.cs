using System.Diagnostics;

namespace FlashSale.Tests.Server.Hosting;

/// <summary>The server, started with settings that it must refuse: how it ended and what it said.</summary>
public sealed record ServerRun(int ExitCode, string Errors)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<ServerRun> StartAsync(params IReadOnlyList<(string Key, string Value)> settings)
    {
        var tests = new DirectoryInfo(AppContext.BaseDirectory);
        var file = Path.Combine(tests.Parent!.Parent!.FullName, "Server", tests.Name, "FlashSale.Server.dll");
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo("dotnet", [file]) { WorkingDirectory = folder.Path, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["FlashSale__DataDirectory"] = folder.File("data");
        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var errors = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            await output;
            return new ServerRun(process.ExitCode, await errors);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill();
            throw new TimeoutException("The server started, or did not end.", exception);
        }
    }
}
