using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Edge;

/// <summary>A request on its way through the gates, and what they have learnt of it.</summary>
/// <param name="arrivedAt">A timestamp of the time provider.</param>
internal sealed class EdgeRequest(HttpContext context, RequestKind kind, bool isOrderCall, long arrivedAt)
{
    public HttpContext Context { get; } = context;

    public RequestKind Kind { get; } = kind;

    /// <summary>Its body is read at the edge; the forms of the pages are not.</summary>
    public bool IsOrderCall { get; } = isOrderCall;

    public long ArrivedAt { get; } = arrivedAt;

    /// <summary>What it is answered with; null when that has to be made.</summary>
    public StoredAnswer? Stored { get; init; }

    public Session? Session { get; set; }

    /// <summary>Null while it is not known, or when there is no such sale.</summary>
    public LiveSale? Sale { get; set; }

    /// <summary>What an order call wants.</summary>
    public LiveOffer? Offer { get; set; }

    public OrderSubmission? Order { get; set; }

    /// <summary>Its address has used more than half of the burst.</summary>
    public bool IsBusyClient { get; set; }

    /// <summary>It takes up room among the requests under way.</summary>
    public bool HasEntered { get; set; }
}
