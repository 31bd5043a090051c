using FlashSale.Core;

using SQLitePCL;

namespace FlashSale.Storage.Sqlite;

/// <summary>The row at which a statement stands; columns count from 0.</summary>
internal readonly struct Row(sqlite3_stmt statement)
{
    public int Columns => raw.sqlite3_column_count(statement);

    public bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public long Long(int column) => raw.sqlite3_column_int64(statement, column);

    public int Int(int column) => checked((int)Long(column));

    public bool Bool(int column) => Long(column) != 0;

    public string Text(int column) => raw.sqlite3_column_text(statement, column).utf8_to_string();

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public Guid Guid(int column) => new(raw.sqlite3_column_blob(statement, column), bigEndian: true);

    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Long(column));

    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

    public T Word<T>(int column)
        where T : struct, Enum => Words<T>.ByWord[Text(column)];

    public UserId User(int column) => UserId.Parse(Text(column));

    /// <summary>An amount and, in the next column, its currency.</summary>
    public Money Money(int column) => new(Long(column), Text(column + 1));
}
