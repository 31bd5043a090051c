using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;

using FlashSale.Core.Wire;

using Spectre.Console;

namespace FlashSale.Tools.Config;

/// <summary><c>flashsale config</c>: the settings that are in force in an instance that runs.</summary>
internal static class ConfigCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SessionLength = TimeSpan.FromMinutes(1);

    public static Command Create(IAnsiConsole console, TimeProvider time)
    {
        var target = TargetOptions.Target();
        var key = TargetOptions.AuthKey();
        var command = new Command("config", "Prints the settings that are in force in an instance, without secrets.") { target, key };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var session = new SessionTokens(parsed.GetRequiredValue(key)).Create("flashsale-config", time.GetUtcNow() + SessionLength, "auditor");
            foreach (var setting in await FetchAsync(parsed.GetRequiredValue(target), session, cancellationToken))
            {
                console.WriteLine(setting.ToString());
            }

            return ExitCodes.Holds;
        });
        return command;
    }

    private static async Task<IReadOnlyList<SettingValue>> FetchAsync(Uri target, string session, CancellationToken cancellation)
    {
        try
        {
            using var http = new HttpClient { BaseAddress = target, Timeout = Patience };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session);
            using var answer = await http.GetAsync(new Uri("/api/v1/admin/settings", UriKind.Relative), cancellation);
            var body = await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(cancellation);
            return JsonSerializer.Deserialize(body, WireJson.Default.SettingsDocument)!.Settings;
        }
        catch (Exception problem) when (problem is HttpRequestException or JsonException
            || (problem is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new UsageException($"{target} does not tell its settings: {problem.Message}", problem);
        }
    }
}
