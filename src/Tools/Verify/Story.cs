using FlashSale.Tools.History;

namespace FlashSale.Tools.Verify;

/// <summary>What the answers in a history claim, gathered in one pass.</summary>
internal sealed class Story
{
    public Dictionary<string, OrderStory> Orders { get; } = [];
    public Dictionary<string, TokenStory> Tokens { get; } = [];
    public Dictionary<string, List<SoldOutAnswer>> SoldOut { get; } = [];
    public HashSet<(string Sale, string User)> Reserved { get; } = [];
    public Dictionary<(string Actor, string Subject), int> AdminChanges { get; } = [];

    /// <summary>Calls that had to be refused, and those of them that were not.</summary>
    public List<HistoryRecord> Breaches { get; } = [];
    public List<HistoryRecord> SoldOutMisused { get; } = [];
    public long MustRefuse { get; private set; }
    public long Records { get; private set; }
    public long OrderAnswers { get; private set; }
    public long FailedAnswers { get; private set; }

    public static Story Read(IEnumerable<HistoryRecord> records)
    {
        var story = new Story();
        foreach (var record in records)
        {
            story.Add(record);
        }

        return story;
    }

    private void Add(HistoryRecord record)
    {
        Records++;
        if (record.Status is 0 or >= 500)
        {
            FailedAnswers++;
        }

        if (record.Code == "sold-out" && (record.Status != 409 || record.Effect is not (null or "none")))
        {
            SoldOutMisused.Add(record);
        }

        if (record.MustRefuse is not null)
        {
            AddMustRefuse(record);
            return;
        }

        if (record.Order is not null && IsSuccess(record))
        {
            AddOrder(record, record.Order);
        }

        if (record.Op == HistoryOps.Order)
        {
            AddSubmission(record);
        }
        else if (record.Op is HistoryOps.Reserve or HistoryOps.Reservation)
        {
            AddReservation(record);
        }
        else if (record.Op.StartsWith(HistoryOps.AdminPrefix, StringComparison.Ordinal) && IsSuccess(record))
        {
            var key = (record.User ?? "", record.Subject ?? "");
            AdminChanges[key] = AdminChanges.GetValueOrDefault(key) + 1;
        }
    }

    private void AddMustRefuse(HistoryRecord record)
    {
        MustRefuse++;
        if (IsSuccess(record))
        {
            Breaches.Add(record);
        }
    }

    /// <summary>Every answer with an order counts, whichever call it came from.</summary>
    private void AddOrder(HistoryRecord record, string id)
    {
        if (!Orders.TryGetValue(id, out var order))
        {
            Orders.Add(id, order = new OrderStory(record.User ?? "", record.Offer));
        }

        order.Offer ??= record.Offer;
        order.Confirmed |= record.Op == HistoryOps.Order;
        order.ShownPaid |= record.State == "paid" && record.Op is HistoryOps.Read or HistoryOps.Order;
        order.Coupon ??= record.Coupon;
        if (record.Coupon is not null && order.Coupon != record.Coupon)
        {
            order.SecondCoupon = record.Coupon;
        }

        if (record.User != order.User)
        {
            order.SecondUser = record.User;
        }

        if (record.State is "cancelled" or "expired" && record.Op is not HistoryOps.Pay)
        {
            order.SeenReleased = Math.Min(order.SeenReleased, record.End);
        }

        order.FirstSeen = Math.Min(order.FirstSeen, record.End);
    }

    private void AddSubmission(HistoryRecord record)
    {
        OrderAnswers++;
        var token = record.Token ?? "";
        if (!Tokens.TryGetValue(token, out var story))
        {
            Tokens.Add(token, story = new TokenStory(record.User ?? "", record.Offer ?? ""));
        }

        if (IsSuccess(record) && record.Order is not null)
        {
            story.AddOrder(record.Order);
            story.Created |= record.Status is 201 or 202;
        }
        else if (MayHaveOrdered(record))
        {
            story.Unknown++;
        }

        if (record.Sent >= story.LastSent)
        {
            story.LastSent = record.Sent;
            story.LastStatus = record.Status;
            story.LastCode = record.Code;
        }

        if (record is { Code: "sold-out", Status: 409 })
        {
            var offer = record.Offer ?? "";
            if (!SoldOut.TryGetValue(offer, out var answers))
            {
                SoldOut.Add(offer, answers = []);
            }

            answers.Add(new SoldOutAnswer(record.Sent, record.End));
        }
    }

    private void AddReservation(HistoryRecord record)
    {
        // An answer that never came may have been a yes.
        if ((IsSuccess(record) && record.State != "rejected") || (record.Op == HistoryOps.Reserve && MayHaveOrdered(record)))
        {
            Reserved.Add((record.Sale ?? "", record.User ?? ""));
        }
    }

    private static bool IsSuccess(HistoryRecord record) => record.Status is >= 200 and < 300;

    /// <summary>True unless the answer said that nothing was done. A failure without a problem document says nothing.</summary>
    private static bool MayHaveOrdered(HistoryRecord record) => record.Effect switch
    {
        "none" => false,
        null => record.Status is < 400 or >= 500,
        _ => true,
    };
}

internal readonly record struct SoldOutAnswer(long Sent, long End);

internal sealed class OrderStory(string user, string? offer)
{
    public string User { get; } = user;
    public string? Offer { get; set; } = offer;
    public string? SecondUser { get; set; }

    /// <summary>An answer to its token said that it is placed.</summary>
    public bool Confirmed { get; set; }
    public bool ShownPaid { get; set; }
    public string? Coupon { get; set; }
    public string? SecondCoupon { get; set; }
    public long FirstSeen { get; set; } = long.MaxValue;

    /// <summary>By then, at the latest, its unit had gone back.</summary>
    public long SeenReleased { get; set; } = long.MaxValue;
}

internal sealed class TokenStory(string user, string offer)
{
    public string User { get; } = user;
    public string Offer { get; } = offer;
    public string? Order { get; private set; }

    /// <summary>A second order of the same token: it must not be.</summary>
    public string? SecondOrder { get; private set; }

    /// <summary>An answer said that it had just made the order.</summary>
    public bool Created { get; set; }

    /// <summary>Answers that leave open whether there is an order.</summary>
    public int Unknown { get; set; }
    public long LastSent { get; set; }
    public int LastStatus { get; set; }
    public string? LastCode { get; set; }

    public void AddOrder(string id)
    {
        Order ??= id;
        if (Order != id)
        {
            SecondOrder = id;
        }
    }
}
