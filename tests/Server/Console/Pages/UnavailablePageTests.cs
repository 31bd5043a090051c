using System.Net;

using Microsoft.Data.Sqlite;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class UnavailablePageTests
{
    /// <summary>Whoever has the notice instead of a page, with script or without, has the page again when its cause is over; what a form says is not sent twice.</summary>
    [Fact]
    public async Task Page_WhenTheLedgerCannotBeRead_ComesAgainByItself()
    {
        await using var server = await TestServer.StartAsync();
        await using var hand = new SqliteConnection($"Data Source={Path.Combine(server.DataDirectory, "flashsale.db")};Pooling=false;Default Timeout=10");
        await hand.OpenAsync();
        await RunAsync("ALTER TABLE limits RENAME TO mislaid");
        using var olga = new ConsoleBrowser(server, "olga", ["operator"]);

        var page = (await olga.GetAsync("/console/en/limits")).Expect(HttpStatusCode.ServiceUnavailable);
        var form = await olga.PostAsync("/console/en/limits", ("step", "check"));

        Assert.Equal("10", page.Headers["Refresh"]);
        Assert.False(form.Headers.ContainsKey("Refresh"));
        await RunAsync("ALTER TABLE mislaid RENAME TO limits");
        Assert.False((await olga.GetAsync("/console/en/limits")).Expect(HttpStatusCode.OK).Headers.ContainsKey("Refresh"));

        async Task RunAsync(string sql)
        {
            await using var command = hand.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }
    }
}
