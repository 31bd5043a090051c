using System.Data.Common;
using System.Globalization;
using System.Reflection;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage;
using FlashSale.Storage.MySql;

namespace FlashSale.Bench;

/// <summary>The product, except that each order is a transaction of its own on one of several connections, as shops of this kind write them.</summary>
public static class PerOrderServer
{
    public static Task<int> RunAsync(string url) => OtherLedgerServer.RunAsync(url, PerOrderLedger.InFrontOf);
}

/// <summary>
/// As many writer lanes as connections, and one order at a time in each: order and log, then the conditional update of the stock (pattern 1), or the other way
/// round (pattern 2); then COMMIT. Each statement is a round trip, as in any program that asks for the outcome of each; or all but COMMIT go in one text, which is
/// the best that one transaction an order can be. Connections stay open.
/// </summary>
public class PerOrderLedger : DispatchProxy
{
    public const string PoolKey = "BENCH_POOL";

    /// <summary>Set: all statements of a transaction but COMMIT go in one round trip.</summary>
    public const string OneTextKey = "BENCH_ONE_TEXT";
    private static readonly bool OneText = Environment.GetEnvironmentVariable(OneTextKey) is not null;

    /// <summary>A change log as the seed has it, without the balance: that would need the locked row first.</summary>
    public const string Log = "CREATE TABLE bench_log (order_id BINARY(16) NOT NULL PRIMARY KEY, offer_id BIGINT NOT NULL, delta INT NOT NULL, at BIGINT NOT NULL) ENGINE=InnoDB";

    [ThreadStatic]
    private static DbConnection? connection;

    private ILedger ledger = null!;
    private StorageOptions options = null!;
    private int lanes;
    private int next;

    public static ILedger InFrontOf(ILedger ledger, StorageOptions options)
    {
        var proxy = Create<ILedger, PerOrderLedger>();
        var self = (PerOrderLedger)(object)proxy;
        self.ledger = ledger;
        self.options = options;
        self.lanes = int.Parse(Environment.GetEnvironmentVariable(PoolKey)!, CultureInfo.InvariantCulture);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        "get_" + nameof(ILedger.WriterLanes) => lanes,
        nameof(ILedger.LaneOf) => (int)((uint)Interlocked.Increment(ref next) % (uint)lanes),
        nameof(ILedger.PlaceAsync) => Task.FromResult(Place(((IReadOnlyList<OrderDraft>)args![0]!)[0])),
        _ => targetMethod.Invoke(ledger, args),
    };

    /// <summary>On the thread of its lane, which has the connection.</summary>
    private PlacementBatch Place(OrderDraft draft)
    {
        if (connection is null)
        {
            connection = MySqlDriver.Create(MySqlDriver.Pin(options.LedgerConnection!, new MySqlTimeouts(5, 10)));
            connection.Open();
            Run("SET SESSION transaction_isolation = 'READ-COMMITTED'");
        }

        var now = TimeProvider.System.GetUtcNow();
        var at = now.ToUnixTimeMilliseconds();
        var id = Convert.ToHexString(draft.Id.Value.ToByteArray(bigEndian: true));
        var offer = draft.OfferId.Value;
        // Users have up to ten orders each: any free slot will do.
        var slot = 1 + Random.Shared.Next(draft.PerUserLimit);
        string[] insert =
        [
            "INSERT INTO orders (id,sale_id,offer_id,user_id,status,user_limit,live_slot,price,currency,created_at,pay_before) VALUES "
                + $"(x'{id}',{draft.SaleId},{offer},'{draft.UserId}','held',{draft.PerUserLimit},{slot},{draft.Price.Amount},'{draft.Price.Currency}',{at},{at + 3_600_000}) ON DUPLICATE KEY UPDATE id=id",
            $"INSERT INTO bench_log (order_id,offer_id,delta,at) VALUES (x'{id}',{offer},-1,{at}) ON DUPLICATE KEY UPDATE delta=delta",
        ];
        var update = $"UPDATE stock SET available=available-1,held=held+1,seq=seq+1 WHERE offer_id={offer} AND bucket=0 AND available>=1";
        string[] transaction = options.WritePattern == WritePattern.LogFirst
            ? ["START TRANSACTION", .. insert, update]
            : ["START TRANSACTION", update, .. insert];
        foreach (var sql in OneText ? [string.Join(';', transaction)] : transaction)
        {
            Run(sql);
        }

        Run("COMMIT");
        var order = new Order(draft.Id, draft.SaleId, draft.OfferId, draft.UserId, OrderStatus.Held, draft.Price, now, now + draft.PaymentWindow);
        return new PlacementBatch(new Dictionary<OrderId, PlacementResult> { [draft.Id] = new(PlacementOutcome.Placed, order) }, []);
    }

    private static void Run(string sql)
    {
        using var command = connection!.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
