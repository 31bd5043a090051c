using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage.Memory;
using FlashSale.Storage.MySql;
using FlashSale.Storage.Redis;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Storage;

public enum LedgerProvider
{
    Sqlite,
    MySql,
}

public enum GateProvider
{
    Memory,
    Redis,
}

/// <param name="LedgerFile">Of the embedded ledger.</param>
/// <param name="LedgerConnection">Of a MySQL or MariaDB ledger: server, port, database, user, password, SslMode.</param>
/// <param name="GateConnection">Of a Redis gate, in the syntax of StackExchange.Redis.</param>
/// <param name="GateShards">Slices of a sale in a Redis gate, 1 to 64, the same on every instance; 0 leaves it to the server.</param>
public sealed record StorageOptions(
    LedgerProvider Ledger,
    string LedgerFile,
    string? LedgerConnection,
    WritePattern WritePattern,
    GateProvider Gate,
    string? GateConnection,
    int GateShards);

/// <summary>The only place that knows which technology a ledger or a gate is made of.</summary>
public static class StorageSetup
{
    /// <exception cref="LedgerUnavailableException">It cannot be reached, or its settings would break promises; the message says what to change.</exception>
    public static async Task<ILedger> OpenLedgerAsync(StorageOptions options, CancellationToken cancellation) => options.Ledger switch
    {
        LedgerProvider.Sqlite => await SqliteLedger.OpenAsync(
            new SqliteLedgerOptions(options.LedgerFile, options.WritePattern), TimeProvider.System, cancellation),
        LedgerProvider.MySql => await MySqlLedger.OpenAsync(new MySqlLedgerOptions(options.LedgerConnection ?? "", options.WritePattern), cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Ledger, "No such ledger."),
    };

    /// <exception cref="GateUnavailableException">It cannot be reached, or is no server that a gate can live on; the message says what to change.</exception>
    public static async Task<IGate> OpenGateAsync(StorageOptions options, TimeProvider time, CancellationToken cancellation) => options.Gate switch
    {
        GateProvider.Memory => new MemoryGate(),
        GateProvider.Redis => await RedisGate.OpenAsync(
            new RedisGateOptions(options.GateConnection ?? "") { Shards = options.GateShards }, time, cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Gate, "No such gate."),
    };

    /// <summary>Where the gate is, so that instances that share one share the limit.</summary>
    /// <exception cref="GateUnavailableException">It cannot be reached; the message says what to change.</exception>
    public static async Task<IUserLimit> OpenUserLimitAsync(StorageOptions options, TimeProvider time, CancellationToken cancellation) => options.Gate switch
    {
        GateProvider.Memory => new MemoryUserLimit(time),
        GateProvider.Redis => await RedisUserLimit.OpenAsync(
            new RedisGateOptions(options.GateConnection ?? "") { Shards = options.GateShards, Timeout = Limits.UserLimitTimeout }, time, cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Gate, "No such gate."),
    };
}
