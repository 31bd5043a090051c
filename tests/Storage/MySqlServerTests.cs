using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Storage;
using FlashSale.Storage.MySql;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>Servers of a test's own: badly set, killed, frozen, with TLS.</summary>
public sealed class MySqlServerTests(MariaDbForAll shared)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task OpenAsync_WhenTheServerWouldBreakPromises_SaysAllThatIsWrongAndWhatToChange()
    {
        await using var server = await MariaDb.StartAsync(
            "innodb-flush-log-at-trx-commit=2", "innodb-rollback-on-timeout=OFF", "log-bin=on", "sync-binlog=0", "binlog-format=STATEMENT",
            "innodb-autoinc-lock-mode=0", "innodb-doublewrite=OFF", "max-allowed-packet=1M", "server-id=1");
        await using var rig = await MySqlRig.OnAsync(server);
        await server.AsRootAsync("SET GLOBAL read_only = ON");

        var message = (await rig.RefusedAsync()).Message;

        Assert.All(
            [
                "set innodb_flush_log_at_trx_commit=1", "set sync_binlog=1", "set binlog_format=ROW", "innodb_rollback_on_timeout=ON", "innodb_autoinc_lock_mode=2",
                "innodb_doublewrite=ON", "SET GLOBAL read_only=OFF", "set max_allowed_packet to 4194304", $"127.0.0.1:{server.Port}",
            ],
            wanted => Assert.Contains(wanted, message));
        Assert.DoesNotContain(MariaDb.Password, message);
        Assert.Equal(0, await rig.ReadAsync<long>("SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()"));
    }

    [Fact]
    public async Task OpenAsync_WhenTheServersDefaultsAreUnsafe_SetsForItsSessionsWhatASessionCan()
    {
        await using var server = await MariaDb.StartAsync(
            "transaction-isolation=REPEATABLE-READ", "innodb-lock-wait-timeout=50", "idle-write-transaction-timeout=0", "sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES",
            "default-time-zone=+08:00", "autocommit=0", "default-storage-engine=MyISAM", "character-set-server=latin1", "wait-timeout=3");
        await using var rig = await MySqlRig.OnAsync(server);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 5);
        const string Text = "\\'; -- \"\\\\ 机器人 🙂";

        await ledger.BlacklistAsync(UserId.Parse("u1"), new BlacklistRequest(Text, "risk", null), Actor.System("test"), default);
        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, 1)));

        Assert.Equal(Text, (await ledger.FindBlacklistedAsync(UserId.Parse("u1"), default))!.Reason);
        Assert.Equal("端午", Assert.Single(await ledger.ListSalesAsync(default)).Title.Zh);
        Assert.InRange(await ledger.ReadClockAsync(default) - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(-5), TimeSpan.FromSeconds(5));
        Assert.Equal(0, await rig.ReadAsync<long>("SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND engine <> 'InnoDB'"));
    }

    [Fact]
    public async Task OpenAsync_WhenItCannotConnect_SaysWhyAndNeverThePassword()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var server = rig.Server;
        await server.AsRootAsync("CREATE USER IF NOT EXISTS reader@'%' IDENTIFIED BY 'hush-reader'; GRANT SELECT ON *.* TO reader@'%'");
        var good = rig.ConnectionString;
        (string Connection, string Message)[] refused =
        [
            (good + "Password=hush-wrong", "user or password is wrong"),
            (good + "Database=nowhere", "the database does not exist"),
            (good + "User ID=reader;Password=hush-reader", "has not the rights"),
            (good + "Port=1", "cannot be reached"),
            (good + "Server=no-such-host.invalid", "cannot be reached"),
            (good + "SslMode=Required", "asks for TLS"),
            ("Server=127.0.0.1;Password=hush-3", "names no database"),
            ("Server=127.0.0.1;Database=a;Passwort=hush-4", "is not understood"),
            ("hush-5", "is not understood"),
        ];
        foreach (var (connection, message) in refused)
        {
            var error = await rig.RefusedAsync(connection);

            Assert.Contains(message, error.Message);
            Assert.DoesNotContain("hush", error.ToString());
            Assert.DoesNotContain(MariaDb.Password, error.ToString());
        }
    }

    [Fact]
    public async Task OpenAsync_WhenTheUserMayOnlyUseTables_UsesASchemaThatIsUpToDate()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        await rig.OpenAsync();
        await rig.Server.AsRootAsync(
            "CREATE USER IF NOT EXISTS clerk@'%' IDENTIFIED BY 'clerk'; GRANT SELECT, INSERT, UPDATE, DELETE ON *.* TO clerk@'%'");

        var ledger = await rig.OpenAsync(more: "User ID=clerk;Password=clerk");

        var sale = await MySqlRig.PublishAsync(ledger, stock: 5);
        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, 1)));
    }

    [Fact]
    public async Task OpenAsync_WhenTlsIsAskedFor_UsesIt()
    {
        using var folder = new TemporaryFolder();
        await WriteCertificatesAsync(folder);
        await using var server = await MariaDb.StartAsync($"ssl-cert={folder.File("cert.pem")}", $"ssl-key={folder.File("key.pem")}");
        await using var rig = await MySqlRig.OnAsync(server);
        await server.AsRootAsync($"ALTER USER '{MariaDb.User}'@'%' REQUIRE SSL");

        var ledger = await rig.OpenAsync(more: "SslMode=Required");
        var preferred = await rig.OpenAsync();

        var sale = await MySqlRig.PublishAsync(ledger, stock: 5);
        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(preferred, MySqlRig.Order(sale, 1)));
        await rig.RefusedAsync(rig.ConnectionString + "SslMode=Disabled");
        var verified = await rig.OpenAsync(more: $"SslMode=VerifyCA;SslCa={folder.File("authority.pem")}");
        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(verified, MySqlRig.Order(sale, 2)));
        // Nobody vouches for this certificate.
        Assert.Contains("TLS", (await rig.RefusedAsync(rig.ConnectionString + "SslMode=VerifyCA")).Message);
    }

    [Fact]
    public async Task PlaceAsync_WhenTheServerIsKilledDuringCommits_KeepsAllThatWasAcknowledged()
    {
        await using var server = await MariaDb.StartAsync();
        await using var rig = await MySqlRig.OnAsync(server);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 500_000);
        var placed = new List<OrderId>();
        for (var round = 0; round < 3; round++)
        {
            using var over = new CancellationTokenSource();
            var first = new TaskCompletionSource();
            var crowd = MySqlCrowd.PlaceUntilAsync(ledger, sale, first, over.Token);
            await first.Task.WaitAsync(TimeSpan.FromSeconds(30));
            await Task.Delay(400 + (150 * round));
            await server.KillAsync();
            await over.CancelAsync();
            var (now, unknown) = await crowd;
            placed.AddRange(now);
            Assert.NotNull(await ledger.CheckAsync(default));

            await server.StartAgainAsync();
            await WaitUntilWellAsync(ledger);
            await MySqlCrowd.SettleAsync(ledger, unknown, placed);
            await MySqlTroubleTests.AssertHasAsync(ledger, sale, placed);
        }
    }

    [Fact]
    public async Task AnyMethod_WhenTheServerStandsStill_FailsInTimeAndWorksAgainAfterwards()
    {
        await using var server = await MariaDb.StartAsync();
        await using var rig = await MySqlRig.OnAsync(server);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 100);
        var draft = MySqlRig.Order(sale, 1);
        server.Freeze();
        var began = Stopwatch.GetTimestamp();
        try
        {
            var placing = ledger.PlaceAsync([draft], default);
            Assert.Contains("has not answered", await ledger.CheckAsync(default));

            var error = await Assert.ThrowsAnyAsync<Exception>(() => placing.WaitAsync(Patience));

            Assert.True(error is LedgerUnavailableException or LedgerOutcomeUnknownException, error.ToString());
            Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(15));
        }
        finally
        {
            server.Thaw();
        }

        await WaitUntilWellAsync(ledger);
        Assert.Contains(await MySqlRig.PlaceAsync(ledger, draft), new[] { PlacementOutcome.Placed, PlacementOutcome.AlreadyPlaced });
        await MySqlTroubleTests.AssertHasAsync(ledger, sale, [draft.Id]);
    }

    /// <summary>An authority, and what it gave to the server.</summary>
    private static async Task WriteCertificatesAsync(TemporaryFolder folder)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = RSA.Create(2_048);
        var authorityRequest = new CertificateRequest("CN=authority of a test", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        using var key = RSA.Create(2_048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.Create(authority, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        await File.WriteAllTextAsync(folder.File("authority.pem"), authority.ExportCertificatePem());
        await File.WriteAllTextAsync(folder.File("cert.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder.File("key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    private static async Task WaitUntilWellAsync(MySqlLedger ledger)
    {
        var waiting = Stopwatch.StartNew();
        string? problem;
        while ((problem = await ledger.CheckAsync(default)) is not null)
        {
            Assert.True(waiting.Elapsed < Patience, problem);
            await Task.Delay(100);
        }

        // Its own lane too, which may still wait for its pause between two attempts to connect.
        await Task.Delay(TimeSpan.FromSeconds(1.2));
    }
}
