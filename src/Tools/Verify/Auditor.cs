using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Tools.History;

namespace FlashSale.Tools.Verify;

/// <summary>Asks the server for its ledger and checks it against a history.</summary>
/// <param name="authKey">Signs the auditor's session: roles <c>operator</c> and <c>auditor</c>.</param>
public sealed class Auditor(Uri target, byte[] authKey, TimeProvider time)
{
    /// <summary>Invariant I7 gives gate and ledger ten seconds to agree.</summary>
    private static readonly TimeSpan QuietWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SessionLength = TimeSpan.FromMinutes(15);
    private const int AuditPagesMax = 10_000;
    private const string Actor = "flashsale-auditor";

    /// <exception cref="UsageException">
    /// The history cannot be read, the target cannot be reached, or it does not answer as the API says.
    /// </exception>
    public async Task<AuditReport> RunAsync(string historyFile, CancellationToken cancellationToken = default)
    {
        if (HistoryReader.ReadHeader(historyFile) is not { } header)
        {
            return new AuditReport([], 0, 0);
        }

        try
        {
            using var http = new HttpClient { BaseAddress = target, Timeout = TimeSpan.FromMinutes(5) };
            var session = new SessionTokens(authKey).Create(Actor, time.GetUtcNow() + SessionLength, "operator", "auditor");
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session);
            var facts = await FetchAsync(http, header, cancellationToken);
            return Audit.Check(header, HistoryReader.ReadRecords(historyFile), facts);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException
            || (problem is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new UsageException($"{target} cannot be audited: {problem.Message}", problem);
        }
        catch (JsonException problem)
        {
            throw new UsageException($"{target} does not answer as the API says: {problem.Message}", problem);
        }
    }

    private async Task<AuditFacts> FetchAsync(HttpClient http, HistoryHeader header, CancellationToken cancellationToken)
    {
        var sales = new Dictionary<string, SaleFacts>();
        var started = time.GetTimestamp();
        foreach (var sale in header.Sales)
        {
            sales[sale.Id] = await FetchSaleAsync(http, sale.Id, started, cancellationToken);
        }

        return new AuditFacts(sales, await FetchAuditLogAsync(http, cancellationToken));
    }

    private async Task<SaleFacts> FetchSaleAsync(HttpClient http, string sale, long started, CancellationToken cancellationToken)
    {
        var path = $"/api/v1/admin/sales/{Uri.EscapeDataString(sale)}";
        var document = await GetAsync(http, path, WireJson.Default.SaleDocument, cancellationToken);
        while (true)
        {
            var readiness = await GetAsync(http, path + "/readiness", WireJson.Default.ReadinessDocument, cancellationToken);
            var reconciliation = await GetAsync(http, path + "/reconciliation", WireJson.Default.ReconciliationDocument, cancellationToken);
            var waited = time.GetElapsedTime(started);
            if (IsQuiet(readiness, reconciliation) || waited > QuietWithin)
            {
                var export = await FetchExportAsync(http, path + "/export", cancellationToken);
                return new SaleFacts(export, readiness, reconciliation, document is null or { Phase: SalePhase.Ended }, waited);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
        }
    }

    private static bool IsQuiet(ReadinessDocument? readiness, ReconciliationDocument? reconciliation) =>
        reconciliation is null or { Violations.Count: 0 }
        && (readiness is null || readiness.Offers.All(offer => offer is { GatePending: 0, Drift: 0 } && offer.GateStock == offer.LedgerAvailable));

    private static async Task<List<ExportLine>> FetchExportAsync(HttpClient http, string path, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        List<ExportLine> lines = [];
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            // A ledger that lost the sale exports nothing; what was acknowledged is then missing.
            return lines;
        }

        await ThrowUnlessOkAsync(response, path, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
            {
                lines.Add(JsonSerializer.Deserialize(line, WireJson.Default.ExportLine) ?? throw new JsonException("A line of the export is null."));
            }
        }

        return lines;
    }

    private static async Task<List<AuditDocument>> FetchAuditLogAsync(HttpClient http, CancellationToken cancellationToken)
    {
        List<AuditDocument> entries = [];
        string? cursor = null;
        for (var page = 0; page < AuditPagesMax; page++)
        {
            var path = "/api/v1/admin/audit" + (cursor is null ? "" : $"?cursor={Uri.EscapeDataString(cursor)}");
            var document = await GetAsync(http, path, WireJson.Default.PageAuditDocument, cancellationToken);
            entries.AddRange(document?.Items ?? []);
            cursor = document?.NextCursor;
            if (cursor is null)
            {
                break;
            }
        }

        return entries;
    }

    /// <returns>Null for 404.</returns>
    private static async Task<T?> GetAsync<T>(HttpClient http, string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using var response = await http.GetAsync(path, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        await ThrowUnlessOkAsync(response, path, cancellationToken);
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return JsonSerializer.Deserialize(bytes, type);
    }

    private static async Task ThrowUnlessOkAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        var hint = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? " Is --auth-key the key of this server?" : "";
        throw new HttpRequestException($"GET {path} was answered {(int)response.StatusCode}: {body[..Math.Min(200, body.Length)]}.{hint}");
    }
}
