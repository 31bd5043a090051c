using FlashSale.Core;
using FlashSale.Core.Sales;

namespace FlashSale.Tools.Load;

/// <summary>What was asked for on the command line. Percentages are whole, 0 to 100.</summary>
internal sealed record LoadSettings
{
    private readonly int? prepareRate;

    public required Uri Target { get; init; }
    public required byte[] AuthKey { get; init; }
    public required int Sales { get; init; }

    /// <summary>For each sale.</summary>
    public required int Offers { get; init; }

    /// <summary>For each offer.</summary>
    public required int Stock { get; init; }
    public required int Users { get; init; }
    public required int BotPercent { get; init; }

    /// <summary>First order attempts a second, over all sales.</summary>
    public required int Rate { get; init; }
    public required long Seed { get; init; }
    public required string ReportDirectory { get; init; }

    /// <summary>From the opening.</summary>
    public required TimeSpan Timeout { get; init; }
    public required TimeSpan PaymentWindow { get; init; }
    public required int CancelPercent { get; init; }
    public required int AbandonPercent { get; init; }

    /// <summary>Loopback addresses to send from.</summary>
    public required int Sources { get; init; }

    /// <summary>Connections over all addresses.</summary>
    public required int Connections { get; init; }
    public required TimeSpan CallTimeout { get; init; }

    /// <summary>Live orders that a user may have of an offer.</summary>
    public int PerUserLimit { get; init; } = 1;

    /// <summary>Whether every other sale asks for a reservation.</summary>
    public bool WithReservations { get; init; } = true;

    /// <summary>Of each sale.</summary>
    public SaleDefences Defences { get; init; } = SaleDefences.Default;

    /// <summary>The score from which on a reservation is rejected.</summary>
    public int RiskThreshold { get; init; } = Limits.RiskScoreMax;

    /// <summary>As it was typed, with the key left out.</summary>
    public required string CommandLine { get; init; }

    public int Units => Sales * Offers * Stock;

    /// <summary>Reservations and tokens are asked for no faster than this, a second.</summary>
    public int PrepareRate
    {
        get => prepareRate ?? Math.Min(Math.Max(Rate, 200), 4_000);
        init => prepareRate = value;
    }

    /// <summary>People who were told "sold out" and come back, a second.</summary>
    public double ReturnRate => Math.Max(Rate / 4.0, 20);
}
