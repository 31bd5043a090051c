using FlashSale.Storage.Sql;

using SQLitePCL;

namespace FlashSale.Storage.Sqlite;

/// <summary>The row of a statement; made once with it.</summary>
internal sealed class SqliteRow(sqlite3_stmt statement) : Row
{
    public override int Columns => raw.sqlite3_column_count(statement);

    public override bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public override long Long(int column) => raw.sqlite3_column_int64(statement, column);

    public override string Text(int column) => raw.sqlite3_column_text(statement, column).utf8_to_string();

    public override Guid Guid(int column) => new(raw.sqlite3_column_blob(statement, column), bigEndian: true);

    public override byte[] Bytes(int column) => raw.sqlite3_column_blob(statement, column).ToArray();
}
