using System.Net.Http.Headers;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tools.Verify;

namespace FlashSale.Tools.Overload;

/// <summary>
/// Whether the ledger has what was acknowledged, and no more than was asked for. A run has millions of orders, so the export is read once and not kept;
/// <c>flashsale verify</c> checks a history of every call.
/// </summary>
internal sealed class LedgerCheck(Uri target, SessionTokens sessions, TimeProvider time)
{
    private const string Actor = "flashsale-auditor";

    /// <param name="inDoubt">Tokens of which an answer was lost and no later one came.</param>
    public async Task<AuditReport> RunAsync(string sale, Ledgered acknowledged, long inDoubt, CancellationToken cancellationToken)
    {
        try
        {
            using var http = new HttpClient { BaseAddress = target, Timeout = TimeSpan.FromMinutes(10) };
            var session = sessions.Create(Actor, time.GetUtcNow().AddMinutes(30), "operator", "auditor");
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session);
            var stocks = new List<ExportLine>();
            var orders = new List<string>();
            await foreach (var line in ReadAsync(http, $"/api/v1/admin/sales/{sale}/export", cancellationToken))
            {
                if (line.Type == "order")
                {
                    orders.Add(line.Id!);
                }
                else if (line.Type == "stock")
                {
                    stocks.Add(line);
                }
            }

            return Judge(acknowledged, inDoubt, orders, stocks);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or JsonException or TaskCanceledException)
        {
            return new AuditReport([], acknowledged.Count, 0, problem.Message);
        }
    }

    internal static AuditReport Judge(Ledgered acknowledged, long inDoubt, IReadOnlyCollection<string> orders, IReadOnlyCollection<ExportLine> stocks)
    {
        var missing = acknowledged.MissingFrom(orders);
        var surplus = Math.Max(0, orders.Count - acknowledged.Count - inDoubt);
        var oversold = stocks.Count(row => row.Available < 0 || row.Held + row.Sold > row.Initial + row.Adjustments);
        return new AuditReport(
            [
                new Finding("I1", "never oversold", stocks.Count, $"{stocks.Sum(row => row.Held + row.Sold):N0} held or sold of {stocks.Sum(row => row.Initial):N0}", oversold, []),
                new Finding("I2", "acknowledged orders survive", acknowledged.Count, $"{acknowledged.Count:N0} acknowledged, {missing:N0} of them not in the ledger", missing, []),
                new Finding("I4", "a refusal left no order", orders.Count, $"{orders.Count:N0} in the ledger, {inDoubt:N0} answers lost for good", surplus, []),
            ],
            acknowledged.Count,
            orders.Count);
    }

    /// <summary>The orders and the stock of an export.</summary>
    internal static async IAsyncEnumerable<ExportLine> ReadAsync(
        HttpClient http, string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            // The change log and the rest are most of the lines, and not asked for here.
            if (line.Contains("\"type\":\"order\"", StringComparison.Ordinal) || line.Contains("\"type\":\"stock\"", StringComparison.Ordinal))
            {
                yield return JsonSerializer.Deserialize(line, WireJson.Default.ExportLine) ?? throw new JsonException("A line of the export is null.");
            }
        }
    }
}
