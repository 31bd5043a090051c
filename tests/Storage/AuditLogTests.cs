using System.Data.Common;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Storage;
using FlashSale.Storage.MySql;
using FlashSale.Storage.Sqlite;
using FlashSale.Tests.Servers;

using Microsoft.Data.Sqlite;

using Xunit;

namespace FlashSale.Tests.Storage;

public sealed class SqliteAuditLogTests : AuditLogContract
{
    private readonly TemporaryFolder folder = new();

    protected override bool OneWriter => true;

    protected override string ToEarlierSchema =>
        "DROP INDEX audit_by_subject; ALTER TABLE audit DROP COLUMN hash; ALTER TABLE audit DROP COLUMN previous_hash; DROP TABLE audit_head; DELETE FROM schema_migrations WHERE name = 'audit_chain'";

    protected override async Task<ILedger> OpenAsync() =>
        await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), Time, CancellationToken.None);

    protected override async Task<DbConnection> ByHandAsync()
    {
        var connection = new SqliteConnection($"Data Source={folder.File("ledger.db")};Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folder.Dispose();
    }
}

public sealed class MySqlAuditLogTests(MariaDbForAll shared) : AuditLogContract
{
    private MariaDb? server;
    private string? database;

    protected override string ToEarlierSchema =>
        "ALTER TABLE audit DROP KEY audit_by_subject, DROP COLUMN hash, DROP COLUMN previous_hash; DROP TABLE audit_head; DELETE FROM schema_migrations WHERE name = 'audit_chain'";

    protected override async Task<ILedger> OpenAsync()
    {
        server = await shared.StartedAsync();
        database ??= await server.CreateDatabaseAsync();
        return await MySqlLedger.OpenAsync(new MySqlLedgerOptions(server.ConnectionString(database), Connections: 8) { Clock = Time }, CancellationToken.None);
    }

    protected override Task<DbConnection> ByHandAsync() => server!.ConnectAsync(database!, "AllowUserVariables=true");

    [Fact]
    public async Task OpenAsync_WithoutTheRightToMakeTriggers_GoesWithoutThem()
    {
        var other = await server!.CreateDatabaseAsync();
        var user = "plain_" + other;
        await server.AsRootAsync(
            $"CREATE USER '{user}'@'%' IDENTIFIED BY 'secret'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES ON {other}.* TO '{user}'@'%'");
        for (var start = 0; start < 2; start++)
        {
            await using var ledger = await MySqlLedger.OpenAsync(
                new MySqlLedgerOptions($"Server=127.0.0.1;Port={server.Port};Database={other};User ID={user};Password=secret", Connections: 2), default);
            await ledger.BlacklistAsync(UserId.Parse("u"), new BlacklistRequest("bot", "risk", null), Operator, default);
            Assert.Equal(start + 1, (await ledger.ReadAuditHeadAsync(default)).Seq);
        }

        await using var hand = await server.ConnectAsync(other);
        Assert.Equal(1, await hand.RunAsync("UPDATE audit SET actor = 'nobody' WHERE id = 1"));
    }
}
