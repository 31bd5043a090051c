namespace FlashSale.Server.Hosting;

/// <summary>
/// <c>health</c>: asks the instance that listens where these settings say whether it is ready. For containers, whose image has no other program that could ask.
/// </summary>
public static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <param name="urls">As Kestrel takes them; the first that speaks plain HTTP is asked.</param>
    /// <returns>The exit code: 0 when it says 200.</returns>
    public static async Task<int> AskAsync(string? urls)
    {
        if (AddressOf(urls) is not { } address)
        {
            await System.Console.Error.WriteLineAsync($"Urls is {urls}: no address of HTTP with a port, where anybody could be asked.");
            return 1;
        }

        using var client = new HttpClient { BaseAddress = address, Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri("/healthz/ready", UriKind.Relative));
            await System.Console.Out.WriteLineAsync(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            await System.Console.Error.WriteLineAsync($"{address} does not answer: {exception.Message}");
            return 1;
        }
    }

    private static Uri? AddressOf(string? urls)
    {
        var addresses = (urls ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(BindingAddress.Parse);
        return addresses.FirstOrDefault(address => address is { IsUnixPipe: false, Scheme: "http", Port: > 0 }) is { } found
            ? new UriBuilder(found.Scheme, HostOf(found.Host), found.Port).Uri
            : null;
    }

    /// <summary>Whoever listens at every address does so at its own.</summary>
    private static string HostOf(string host) => host switch
    {
        "*" or "+" or "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        _ => host,
    };
}
