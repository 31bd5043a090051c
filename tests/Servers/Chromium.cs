using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Servers;

/// <summary>A real browser with one page, spoken to through its DevTools protocol.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private readonly TemporaryFolder folder;
    private readonly LocalProcess process;
    private readonly ClientWebSocket socket = new();
    private readonly byte[] buffer = new byte[1024 * 1024];
    private int sent;

    private Chromium(TemporaryFolder folder, LocalProcess process)
    {
        this.folder = folder;
        this.process = process;
    }

    public static async Task<Chromium> StartAsync()
    {
        var profile = new TemporaryFolder();
        var port = LocalProcess.FreePort();
        var started = new LocalProcess(
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=360,800", $"--remote-debugging-port={port}",
            "--user-data-dir=" + profile.Path, "about:blank");
        var browser = new Chromium(profile, started);
        try
        {
            await browser.ConnectAsync(port);
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }

        return browser;
    }

    public Task GoAsync(Uri address) => CallAsync("Page.navigate", new { url = address });

    /// <summary>The value of an expression in the page; the default while the page is between two documents.</summary>
    public async Task<T?> ReadAsync<T>(string expression)
    {
        var answer = await CallAsync("Runtime.evaluate", new { expression, returnByValue = true });
        return answer.TryGetProperty("result", out var result) && result.TryGetProperty("result", out var value) && value.TryGetProperty("value", out var read)
            ? read.Deserialize<T>()
            : default;
    }

    /// <summary>Waits until the expression is true.</summary>
    public async Task WaitAsync(string expression)
    {
        try
        {
            await Eventually.HoldsAsync(() => ReadAsync<bool>(expression), expression);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            Assert.Fail($"{exception.Message}\n{await ReadAsync<string>("location.href + '\\n' + document.documentElement.outerHTML")}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        await process.DisposeAsync();
        // Its children end a moment after it, and write until then.
        await Eventually.HoldsAsync(
            () =>
            {
                try
                {
                    folder.Dispose();
                    return true;
                }
                catch (IOException)
                {
                    return false;
                }
            },
            "the browser's profile can be removed");
    }

    private async Task ConnectAsync(int port)
    {
        using var client = new HttpClient();
        string? address = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    using var pages = JsonDocument.Parse(await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/json/list")));
                    address = pages.RootElement.EnumerateArray().First(page => page.GetProperty("type").GetString() == "page").GetProperty("webSocketDebuggerUrl").GetString();
                }
                catch (Exception exception) when (exception is HttpRequestException or InvalidOperationException)
                {
                    // Not listening yet, or without its page.
                }

                return address is not null;
            },
            "the browser starts");
        await socket.ConnectAsync(new Uri(address!), CancellationToken.None);
    }

    private async Task<JsonElement> CallAsync(string method, object parameters)
    {
        var id = ++sent;
        await socket.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters }), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult read;
            do
            {
                read = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                length += read.Count;
            }
            while (!read.EndOfMessage);
            var answer = JsonElement.Parse(Encoding.UTF8.GetString(buffer, 0, length));
            if (answer.TryGetProperty("id", out var of) && of.GetInt32() == id)
            {
                return answer;
            }
        }
    }
}
