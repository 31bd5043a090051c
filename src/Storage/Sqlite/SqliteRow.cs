using System.Text;

using FlashSale.Storage.Sql;

using SQLitePCL;

namespace FlashSale.Storage.Sqlite;

/// <summary>The row of a statement; made once with it.</summary>
internal sealed class SqliteRow(sqlite3_stmt statement) : Row
{
    public override int Columns => raw.sqlite3_column_count(statement);

    public override bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public override long Long(int column) => raw.sqlite3_column_int64(statement, column);

    /// <summary>All of its bytes: read as a C string it would end at the first zero, and what was put behind one by hand would not be seen.</summary>
    public override string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(statement, column));

    public override Guid Guid(int column) => new(raw.sqlite3_column_blob(statement, column), bigEndian: true);

    public override byte[] Bytes(int column) => raw.sqlite3_column_blob(statement, column).ToArray();
}
