using Microsoft.Data.Sqlite;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>Why the ledger does not use the seed's update: it reports success when nothing was sold.</summary>
public sealed class ConditionalUpdateTests : IDisposable
{
    private readonly SqliteConnection connection = new("Data Source=:memory:");

    public ConditionalUpdateTests()
    {
        connection.Open();
        Execute("CREATE TABLE stock (id INTEGER PRIMARY KEY, inventory INTEGER NOT NULL CHECK (inventory >= 0))");
        Execute("INSERT INTO stock VALUES (1, 1)");
    }

    [Fact]
    public void UpdateWithCase_WhenNothingIsLeft_StillMatchesTheRowAndOversells()
    {
        const string Seed = "UPDATE stock SET inventory = CASE WHEN inventory >= 1 THEN inventory - 1 ELSE inventory END WHERE id = 1";

        var sold = Enumerable.Range(0, 3).Count(_ => Execute(Seed) == 1);

        Assert.Equal(3, sold);
        Assert.Equal(0, Inventory());
    }

    [Fact]
    public void UpdateWithCondition_WhenNothingIsLeft_MatchesNoRow()
    {
        const string Ours = "UPDATE stock SET inventory = inventory - 1 WHERE id = 1 AND inventory >= 1";

        var sold = Enumerable.Range(0, 3).Count(_ => Execute(Ours) == 1);

        Assert.Equal(1, sold);
        Assert.Equal(0, Inventory());
    }

    public void Dispose() => connection.Dispose();

    private int Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }

    private long Inventory()
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT inventory FROM stock";
        return (long)command.ExecuteScalar()!;
    }
}
