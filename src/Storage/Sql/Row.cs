using FlashSale.Core;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

/// <summary>The row at which a statement stands; columns count from 0. Valid until the next one is read.</summary>
internal abstract class Row
{
    public abstract int Columns { get; }

    public abstract bool IsNull(int column);

    public abstract long Long(int column);

    public abstract string Text(int column);

    /// <summary>The 16 bytes of a UUID in network order.</summary>
    public abstract Guid Guid(int column);

    public abstract byte[] Bytes(int column);

    public int Int(int column) => checked((int)Long(column));

    public bool Bool(int column) => Long(column) != 0;

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Long(column));

    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

    public T Word<T>(int column)
        where T : struct, Enum => Words<T>.ByWord[Text(column)];

    public UserId User(int column) => UserId.Parse(Text(column));

    /// <summary>An amount and, in the next column, its currency.</summary>
    public Money Money(int column) => new(Long(column), Text(column + 1));
}
