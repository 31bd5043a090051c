using System.Data.Common;

using FlashSale.Storage.Sql;

namespace FlashSale.Storage.MySql;

internal sealed class MySqlRow(DbDataReader reader) : Row
{
    public override int Columns => reader.FieldCount;

    public override bool IsNull(int column) => reader.IsDBNull(column);

    public override long Long(int column) => reader.GetInt64(column);

    public override string Text(int column) => reader.GetString(column);

    public override Guid Guid(int column)
    {
        // Not GetGuid, which takes the bytes in the order of Windows.
        var bytes = (byte[])reader.GetValue(column);
        return new Guid(bytes, bigEndian: true);
    }

    public override byte[] Bytes(int column) => (byte[])reader.GetValue(column);
}
