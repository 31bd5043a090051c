using FlashSale.Tools.Load;

namespace FlashSale.Tools.Overload;

/// <summary>The few who do something else than order during a spike, at a fixed small rate, each on connections of their own.</summary>
internal sealed class Probes(Pump pump, People people, PlannedSale sale, TimeSpan longest)
{
    public const string Pay = "pay";
    public const string Cancel = "cancel";
    public const string Read = "read";
    public const string Token = "token";
    public const string Page = "page";
    public const string Document = "document";
    private const double PerSecond = 10;
    private const double ReadsPerSecond = 30;

    /// <summary>Each order can be paid or cancelled once; the same are read again and again.</summary>
    public int OrdersNeeded => 2 * OrdersOfEach;

    private int OrdersOfEach => (int)(longest.TotalSeconds * PerSecond) + 10;

    public (Lane[] Lanes, ProbeOutcome[] Outcomes) Make(Pool pool, IReadOnlyList<(int User, string Order)> orders, long start)
    {
        var target = pump.Target;
        var paying = orders.Take(OrdersOfEach).ToArray();
        var cancelling = orders.Skip(OrdersOfEach).ToArray();
        var tokens = RequestHead.Of("POST", $"/api/v1/offers/{sale.Offers[0].Id}/order-tokens", target, "Content-Length: 0\r\n");
        var page = RequestHead.Of("GET", $"/sales/{sale.Slug}", target, "Accept: text/html\r\n");
        var document = RequestHead.Of("GET", $"/api/v1/sales/{sale.Id}", target);
        (string Name, bool IsProtected, double Rate, ProbeDemand Demand)[] probes =
        [
            (Pay, true, PerSecond, new(paying.Length, OnOrder("POST", "/payments", paying), once: true)),
            (Cancel, true, PerSecond, new(cancelling.Length, OnOrder("POST", "/cancellation", cancelling), once: true)),
            (Read, true, ReadsPerSecond, new(paying.Length, OnOrder("GET", "", paying), once: false)),
            (Token, false, PerSecond, new(people.Count, Signed(tokens), once: false)),
            (Document, false, PerSecond, new(1, (int _, ref RequestWriter to) => to.Add(document), once: false)),
            (Page, false, PerSecond, new(1, (int _, ref RequestWriter to) => to.Add(page), once: false)),
        ];
        var outcomes = probes.Select(probe => new ProbeOutcome(probe.Name, probe.IsProtected, new Tally(new Timeline(start)))).ToArray();
        return ([.. probes.Zip(outcomes, (probe, outcome) => new Lane(probe.Demand, pool, outcome.Tally, probe.Rate))], outcomes);
    }

    private ProbeWriter OnOrder(string method, string action, (int User, string Order)[] orders)
    {
        var heads = orders.Select(order => RequestHead.Of(method, $"/api/v1/orders/{order.Order}{action}", pump.Target, method == "POST" ? "Content-Length: 0\r\n" : "")).ToArray();
        return (int item, ref RequestWriter to) =>
        {
            to.Add(heads[item]);
            to.Add(people.Authorization(orders[item].User));
        };
    }

    private ProbeWriter Signed(byte[] head) => (int item, ref RequestWriter to) =>
    {
        to.Add(head);
        to.Add(people.Authorization(item));
    };
}
