using System.Globalization;
using System.Text.RegularExpressions;

namespace FlashSale.Server.Console.Pages;

/// <summary>What is wrong with a field, in the language of the page, from what the rules of the API say in English.</summary>
public sealed partial class ConsoleTexts
{
    /// <summary>What the API says, and the same in the words of a page: the first that fits. Numbers of the first are numbers of the second.</summary>
    private static readonly (Regex Api, string Zh, string En)[] FieldErrors =
    [
        (Says(@"must be a whole number from (-?\d+) to (-?\d+)"), "请填 $1 到 $2 的整数。", "Must be a whole number from $1 to $2."),
        (Says(@"must be a text of 1 to (\d+) characters"), "请填 1 到 $1 个字符。", "Must be a text of 1 to $1 characters."),
        (Says("must be a time.*"), "请填北京时间，2000 到 2199 年，例如 2026-11-26 20:00。", "Must be a Beijing time, from the year 2000 to 2199, such as 2026-11-26 20:00."),

        // A sale.
        (Says("must be a list.*"), "请填 1 到 50 个优惠券。", "There must be 1 to 50 offers."),
        (Says("must be of lower-case.*"), "只能用小写字母、数字和连字符，且不能以连字符开头或结尾。", "Must be of lower-case letters a–z, digits and hyphens, with no hyphen at either end."),
        (Says("must be the three capital.*"), "币种须为三个大写字母，如 CNY。", "The currency must be three capital letters, such as CNY."),
        (Says("must be synchronous.*"), "目前只支持同步下单。", "Only synchronous ordering is there yet."),
        (Says("must be order:.*"), "目前只支持下单时扣减。", "Only deduction with the order is there yet."),
        (Says("must be 0, or from (\\d+) to (\\d+).*"), "请填 0，或 $1 到 $2。", "Must be 0, or from $1 to $2."),
        (Says(@"must be more than (\d+) ms after opensAt.*"), "须晚于开抢 $1 毫秒以上，抽签可能需要这么久。", "Must be more than $1 ms after the opening, which the draw may take."),
        (Says(Regex.Escape(SlugTakenError)), "已有活动使用这个网址名。", "Another sale has this slug."),
        (Says("must be in the future"), "须在将来。", "Must be in the future."),
        (Says("must be before closesAt"), "须早于结束时间。", "Must be before the closing."),
        (Says("must be before reservationClosesAt"), "须早于预约截止。", "Must be before reservations close."),
        (Says("must be before validUntil"), "须早于有效期止。", "Must be before the end of validity."),
        (Says("must not be after opensAt"), "不得晚于开抢时间。", "Must not be after the opening."),
        (Says("must be there when requiresReservation is true"), "需要预约时必填。", "Must be there when a reservation is needed."),
        (Says("must be another than those of the sale's other offers"), "同一活动中 SKU 不得重复。", "Must be another than those of the sale's other offers."),
        (Says("must be the currency of faceValue"), "须与面值币种相同。", "Must be the currency of the face value."),
        (Says("must not be more than faceValue"), "不得高于面值。", "Must not be more than the face value."),
        (Says(".*adjust the stock instead"), "发布后不能更改；请改用库存调整。", "Cannot change once published; adjust the stock instead."),
        (Says("cannot change once published"), "发布后不能更改。", "Cannot change once published."),
        (Says("cannot change once the sale has opened"), "开抢后不能更改。", "Cannot change once the sale has opened."),
        (Says("must not be 0"), "不能为 0。", "Must not be 0."),

        // Limits.
        (Says(@"must be at most inFlightMax, which is (\d+)"), "不能大于并发上限 $1。", "Must be at most the most requests under way, which is $1."),
        (Says("must be at least tokensPercent.*"), "份额须依次不减：页面 ≤ 文档 ≤ 令牌 ≤ 下单。", "Shares must not fall in this order: pages, documents, tokens, orders."),

        // The blacklist.
        (Says("must be in the future, or absent.*"), "到期时间须在将来；留空表示长期有效。", "The end must be in the future; leave it empty for a bar without end."),
        (Says(@"must be 1 to (\d+) of A-Z a-z 0-9 \. _ -"), "用户 ID 须为 1 到 $1 个字符：字母、数字、. _ -", "A user id has 1 to $1 of A–Z a–z 0–9 . _ -"),
        (Says("must be the 16 lower-case hexadecimal digits of a device"), "设备为 16 位小写十六进制数字。", "A device has 16 lower-case hexadecimal digits."),
        (Says(@"must be an address, or a range.* no wider than /(\d+) \(IPv4\) or /(\d+) \(IPv6\)"),
            "须为地址或网段，例如 203.0.113.0/24、2001:db8::/32；IPv4 不宽于 /$1，IPv6 不宽于 /$2。", "Must be an address or a range such as 203.0.113.0/24 or 2001:db8::/32, no wider than /$1 (IPv4) or /$2 (IPv6)."),
        (Says("must be (one of )?user, device (or|and) address|must be one of user, device, address"), "须为 user、device 或 address。", "Must be user, device or address."),
        (Says("must be one JSON object in UTF-8"), "无法读取。每行为 CSV 或一个 JSON 对象。", "Cannot be read: a line is CSV or one JSON object."),
        (Says("must be an entry"), "没有任何条目。", "There is no entry."),
        (Says(@"is about the same as line (\d+)"), "与第 $1 行重复。", "Is about the same as line $1."),
        (Says(@"is one too many: at most (\d+) at once"), "一次最多 $1 行。", "Is one too many: at most $1 at once."),

        // What would fit more than is meant.
        (Says("must be one of.*"), "请从列表中选择。", "Must be one of the list."),
        (Says("must be at most.*"), "须在开抢后 31 天之内。", "Must be at most 31 days after the opening."),
    ];

    /// <param name="path">Of the API, from the root of what was sent.</param>
    /// <param name="mustBe">Such as <c>must be a whole number from 1 to 10</c>.</param>
    public string FieldError(string path, string mustBe) =>
        path.EndsWith(".amount", StringComparison.Ordinal) && mustBe.StartsWith("must be a whole number", StringComparison.Ordinal)
            ? Of("请填 0 到 100,000,000.00 元，最多两位小数。", "Must be an amount from 0 to 100,000,000.00 yuan, with at most two decimals.")
            : FieldError(mustBe);

    /// <summary>Of a field whose path says no more.</summary>
    public string FieldError(string mustBe)
    {
        foreach (var (api, zh, en) in FieldErrors)
        {
            if (api.Match(mustBe) is { Success: true } match)
            {
                return Placeholder().Replace(
                    Of(zh, en), place => long.TryParse(match.Groups[place.Groups[1].Value].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? Number(number) : "");
            }
        }

        return Of("请更正此项。", "Must be corrected: " + mustBe);
    }

    private static Regex Says(string pattern) => new($"^(?:{pattern})$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    [GeneratedRegex(@"\$(\d)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Placeholder();
}
