using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Console.Pages;

/// <summary>How something stands, as a mark and a word.</summary>
public enum ReadinessMark
{
    Good,
    Bad,

    /// <summary>Not yet, or of no concern to this sale.</summary>
    Open,
}

/// <param name="Detail">What a program said, in English.</param>
public sealed record ReadinessRow(string Name, ReadinessMark Mark, string Text, string? Detail = null);

public sealed record ReadinessModel(Sale Sale, ReadinessReading Reading, IReadOnlyList<ReadinessRow> Rows, IReadOnlyList<LiveInstanceDocument> Instances);

/// <summary>Everything that must be well before a sale opens, at a glance.</summary>
public static class ReadinessPages
{
    public static void MapReadiness(this PageMap pages) => pages.GetSale("/readiness", PageMap.Anybody, async (visit, sale, context) =>
    {
        var reading = await context.RequestServices.GetRequiredService<SaleReadiness>().LookAsync(sale, context.RequestAborted);
        var instances = context.RequestServices.GetRequiredService<LiveBoard>().Instances;
        return visit.Show<ReadinessPage>(new ReadinessModel(sale, reading, RowsOf(sale, reading, instances, visit), instances));
    });

    private static List<ReadinessRow> RowsOf(Sale sale, ReadinessReading reading, IReadOnlyList<LiveInstanceDocument> instances, ConsoleVisit visit)
    {
        var texts = visit.Texts;
        var document = reading.Document;
        var draft = sale.Status == SaleStatus.Draft;
        // One that was ended is not missing.
        var counted = instances.Where(one => !one.Gone || SaleReadiness.IsAmiss(one, instances)).ToArray();
        var amiss = counted.Count(one => SaleReadiness.IsAmiss(one, instances));
        var open = document.Breakers.Where(breaker => breaker.Value != "closed").Select(breaker => $"{texts.BreakerName(breaker.Key)} ({texts.BreakerState(breaker.Value)})").ToArray();
        return
        [
            Row(texts.SaleWord, texts.Phase(SalePhases.Of(sale, anyAvailable: true, visit.Now)), ReadinessMatter.Draft, ReadinessMatter.Over),
            Row(
                texts.PagesRow,
                document.Pages is { } version ? texts.PagesVersion(version) : texts.PagesOnRequest,
                ReadinessMatter.PagesBehind, ReadinessMatter.PagesHeld) is var pages && pages.Mark == ReadinessMark.Good && document.Pages is null
                    ? pages with { Mark = ReadinessMark.Open }
                    : pages,
            Row(texts.WarmUpRow, texts.WarmOf(document.WarmUp), ReadinessMatter.WarmUp) is var warm && draft ? warm with { Mark = ReadinessMark.Open } : warm,
            Row(texts.GateRow, draft ? texts.NotYet : texts.GateAgrees(document.Offers.Count(offer => offer.Drift == 0 && offer.Warm), document.Offers.Count), ReadinessMatter.Gate)
                is var gate && draft ? gate with { Mark = ReadinessMark.Open } : gate,
            Row(texts.ClockRow, texts.SkewOf(document.ClockSkewMs), ReadinessMatter.Clock),
            Row(texts.BreakersTitle, open.Length == 0 ? texts.AllClosed(document.Breakers.Count) : string.Join(texts.Comma, open), ReadinessMatter.Breaker),
            Row(texts.PoolsRow, string.Join(texts.Comma, document.Pools.Select(texts.PoolOf)), ReadinessMatter.Pool),
            Row(texts.AssessmentsRow, texts.BacklogOf(reading.Backlog), ReadinessMatter.AssessmentsDead, ReadinessMatter.AssessmentsWaiting),
            Row(texts.BooksRow, texts.BooksAgree, ReadinessMatter.Books),
            Row(texts.FreshRow, texts.Fresh, ReadinessMatter.SalesStale, ReadinessMatter.StockStale),
            Row(texts.InstanceRow, texts.Ready, ReadinessMatter.Instance),
            Row(texts.InstancesTitle, texts.InstancesOf(counted.Length - amiss, counted.Length), ReadinessMatter.OtherInstance) is var others && counted.Length == 0
                ? others with { Mark = ReadinessMark.Open }
                : others,
        ];

        // What is amiss about it; else how it stands.
        ReadinessRow Row(string name, string text, params ReadinessMatter[] matters)
        {
            var found = reading.Reasons.Where(reason => matters.Contains(reason.Matter)).ToArray();
            var details = found.Select(reason => reason.Detail).OfType<string>().ToArray();
            return found.Length == 0
                ? new ReadinessRow(name, ReadinessMark.Good, text)
                : new ReadinessRow(name, ReadinessMark.Bad, string.Join(' ', found.Select(texts.ReadinessText)), details.Length == 0 ? null : string.Join(' ', details));
        }
    }
}
