using FlashSale.Core.Wire;

namespace FlashSale.Server.Telemetry;

/// <summary>What a client that asks for an order is, as far as its request tells.</summary>
public enum ClientKind
{
    /// <summary>Our page with its script: a session cookie.</summary>
    Page,

    /// <summary>The form of our page, without script.</summary>
    Form,

    /// <summary>A client of the API: a bearer token.</summary>
    Api,
}

/// <summary>A shopper's steps to an order that only this instance sees; the later ones stand in the ledger.</summary>
public enum SaleStep
{
    /// <summary>Somebody who is signed in opened the page of the sale.</summary>
    Visit,

    /// <summary>An order token was given out.</summary>
    Token,
}

/// <summary>Plain counts of one sale in this instance, since its start.</summary>
public sealed class SaleCounts
{
    private readonly long[] decisions = new long[Words<OrderDecision>.ByValue.Count];
    private readonly long[] steps = new long[Words<SaleStep>.ByValue.Count];
    private readonly long[] asked = new long[Words<ClientKind>.ByValue.Count];
    private readonly long[] placed = new long[Words<ClientKind>.ByValue.Count];

    /// <summary>From the admission by the gate until the outcome is known.</summary>
    public LatencyCounts Latency { get; } = new();

    public void Decide(OrderDecision decision) => Interlocked.Increment(ref decisions[(int)decision]);

    public void Count(SaleStep step) => Interlocked.Increment(ref steps[(int)step]);

    /// <summary>A request whose token was good.</summary>
    public void Count(ClientKind client, OrderDecision decision)
    {
        Interlocked.Increment(ref asked[(int)client]);
        if (decision == OrderDecision.Placed)
        {
            Interlocked.Increment(ref placed[(int)client]);
        }
    }

    public long Of(OrderDecision decision) => Interlocked.Read(ref decisions[(int)decision]);

    public long Of(SaleStep step) => Interlocked.Read(ref steps[(int)step]);

    public long Asked(ClientKind client) => Interlocked.Read(ref asked[(int)client]);

    public long Placed(ClientKind client) => Interlocked.Read(ref placed[(int)client]);
}
