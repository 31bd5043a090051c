using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FlashSale.Bench;

/// <summary>One of the compared servers in a process of its own.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process process;

    private ServerProcess(Process process, Uri url)
    {
        this.process = process;
        Url = url;
    }

    public Uri Url { get; }

    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>User and system time of all its threads, since its start.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public static Task<ServerProcess> StartProductAsync(BenchKeys keys, string data, params (string Key, string Value)[] settings) =>
        StartAsync(typeof(FlashSale.Server.Orders.LedgerWriter).Assembly.Location, url => ["--urls", url], [.. Product(keys, data), .. settings]);

    public static Task<ServerProcess> StartWithoutStorageAsync(BenchKeys keys, string data) =>
        StartAsync(typeof(ServerProcess).Assembly.Location, url => ["serve-no-storage", url], Product(keys, data));

    public static Task<ServerProcess> StartPerOrderAsync(BenchKeys keys, string data, params (string Key, string Value)[] settings) =>
        StartAsync(typeof(ServerProcess).Assembly.Location, url => ["serve-per-order", url], [.. Product(keys, data), .. settings]);

    public static Task<ServerProcess> StartOtherAsync(string mode, BenchKeys keys, params (string Key, string Value)[] settings) =>
        StartAsync(
            typeof(ServerProcess).Assembly.Location,
            url => [mode, url],
            [("FlashSale__Auth__SigningKey", keys.AuthText), ("FlashSale__Tokens__SigningKey", keys.TokensText), .. settings]);

    private static (string Key, string Value)[] Product(BenchKeys keys, string data) =>
    [
        ("FlashSale__Demo", "false"),
        ("FlashSale__DataDirectory", data),
        ("FlashSale__Auth__SigningKey", keys.AuthText),
        ("FlashSale__Tokens__SigningKey", keys.TokensText),
        ("FlashSale__Limits__Enabled", "false"),
    ];

    private static async Task<ServerProcess> StartAsync(string assembly, Func<string, string[]> arguments, (string Key, string Value)[] settings)
    {
        var url = $"http://127.0.0.1:{FreePort()}";
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add(assembly);
        foreach (var argument in arguments(url))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        var started = Process.Start(start)!;
        started.OutputDataReceived += (_, _) => { };
        started.BeginOutputReadLine();
        var server = new ServerProcess(started, new Uri(url));
        await server.WaitUntilReadyAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task WaitUntilReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = Url };
        for (var attempt = 0; attempt < 300; attempt++)
        {
            try
            {
                if ((await http.GetAsync("/healthz/ready")).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(100);
        }

        throw new InvalidOperationException("The server did not become ready.");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
