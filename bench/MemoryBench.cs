using System.Text;

using FlashSale.Core;
using FlashSale.Server.Http;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Bench;

/// <summary>The memory of a server with twelve sales and 100,000 reservations that were made through HTTP.</summary>
public static class MemoryBench
{
    private const int Sales = 12;
    private const int Reservations = 100_000;
    private const long WantedBytes = 400L * 1024 * 1024;

    public static async Task<int> RunAsync()
    {
        var keys = new BenchKeys();
        var data = BenchSale.NewDirectory();
        try
        {
            List<string> paths = [];
            await using (var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(BenchSale.LedgerFile(data)), TimeProvider.System, CancellationToken.None))
            {
                for (var i = 0; i < Sales; i++)
                {
                    var sale = await BenchSale.CreateAsync(ledger, i, 100, requiresReservation: true, TimeProvider.System.GetUtcNow().AddMinutes(30));
                    paths.Add($"/api/v1/sales/{sale.Id}/reservations");
                }
            }

            await using var server = await ServerProcess.StartProductAsync(keys, data);
            var before = server.ResidentBytes;
            var sessions = new Sessions(keys.Auth, TimeProvider.System);
            var at = -1;
            var crowd = new Crowd(server.Url, 128);
            var result = await crowd.RunAsync(() => Interlocked.Increment(ref at) is var i && i < Reservations ? Request(sessions, paths, i) : null, TimeSpan.FromMinutes(5));
            Console.WriteLine($"{result.Requests:N0} reservations in {Sales} sales, {result.PerSecond:N0}/s, p99 {result.P99Ms:N1} ms, {string.Join(' ', result.ByStatus)}");
            Console.WriteLine($"resident memory: {before / 1048576.0:N0} MB at start, {server.ResidentBytes / 1048576.0:N0} MB after  (wanted: less than {WantedBytes / 1048576} MB)");
            return server.ResidentBytes < WantedBytes && result.ByStatus.GetValueOrDefault(201) == Reservations ? 0 : 1;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static byte[] Request(Sessions sessions, List<string> paths, int i)
    {
        var session = sessions.Create(UserId.Parse($"user-{i}"), [], TimeSpan.FromHours(1));
        return Encoding.ASCII.GetBytes($"POST {paths[i % paths.Count]} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {session}\r\nContent-Length: 0\r\n\r\n");
    }
}
