namespace FlashSale.Core;

/// <summary>An amount in minor units (fen for CNY), 0 to 10,000,000,000, with its ISO 4217 code.</summary>
public readonly record struct Money(long Amount, string Currency)
{
    public static Money Cny(long fen) => new(fen, "CNY");

    public override string ToString() => $"{Amount / 100}.{Amount % 100:00} {Currency}";
}
