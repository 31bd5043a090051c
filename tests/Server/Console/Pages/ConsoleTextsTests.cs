using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console;
using FlashSale.Server.Console.Pages;
using FlashSale.Server.Hosting;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class ConsoleTextsTests
{
    private static readonly ConsoleTexts Zh = ConsoleLanguage.Zh.Texts;
    private static readonly ConsoleTexts En = ConsoleLanguage.En.Texts;
    private static readonly DateTimeOffset Now = new(2030, 6, 18, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void FieldError_WhenTheRulesOfTheApiSayIt_IsSaidInBothLanguages()
    {
        var said = Messages().ToHashSet();

        Assert.True(said.Count >= 20, string.Join('\n', said));
        Assert.All(said, error =>
        {
            var zh = Zh.FieldError(error.Path, error.MustBe);
            Assert.NotEqual(Zh.FieldError("x", "must be something new"), zh);
            Assert.DoesNotContain("must", zh, StringComparison.Ordinal);
            Assert.DoesNotContain("Must be corrected", En.FieldError(error.Path, error.MustBe), StringComparison.Ordinal);
        });
    }

    [Theory]
    [MemberData(nameof(Matters))]
    public void ReadinessText_WhenAReasonIsNamed_IsSaidInBothLanguages(ReadinessMatter matter)
    {
        var reason = new ReadinessReason(matter, "In English.") { Name = "7", Count = 3, Since = Now };

        Assert.NotEqual(Zh.ReadinessText(new ReadinessReason((ReadinessMatter)99, "")), Zh.ReadinessText(reason));
        Assert.DoesNotContain("In English.", Zh.ReadinessText(reason), StringComparison.Ordinal);
        Assert.Equal("In English.", En.ReadinessText(reason));
    }

    public static TheoryData<ReadinessMatter> Matters() => [.. Enum.GetValues<ReadinessMatter>()];

    [Fact]
    public void LiveBoard_InChinese_HasNoWordOfTheProgram()
    {
        foreach (var word in new[] { "orders", "stock", "sales", "risk", "payments", "profile", "credit", "gate", "limit", "gate.1" })
        {
            Assert.DoesNotMatch("[a-z]", Zh.BreakerName(word));
            Assert.Matches("[a-z]", En.BreakerName(word));
        }

        foreach (var role in Enum.GetValues<InstanceRoles>().Where(role => role != InstanceRoles.None))
        {
            Assert.DoesNotMatch("[a-z]", Zh.InstanceRoles(role.ToString().ToLowerInvariant()));
        }

        Assert.Equal("订单、控制台", Zh.InstanceRoles("orders, console"));
        Assert.All(LiveMomentDocument.Layers, layer => Assert.DoesNotMatch("[a-z]", Zh.RefusedBy(layer)));
    }

    [Theory]
    [InlineData(-60 * 24 * 14, null)]
    [InlineData(-60, 30 * 60)]
    [InlineData(0, 0)]
    [InlineData(60 * 24, null)]
    public void Soon_OfASale_IsWhenItIsWatchedAndOnlyWhenThatIsNear(int minutesFromTheOpening, int? seconds)
    {
        var sale = TestSale.Draft(Now, stock: 1) with { Status = SaleStatus.Published };

        Assert.Equal(seconds, new LiveModel(sale, null, []).SoonAt(Now.AddMinutes(minutesFromTheOpening)));
        Assert.Null(new LiveModel(sale with { Status = SaleStatus.Draft }, null, []).SoonAt(Now));
    }

    [Fact]
    public void FieldName_WhenAFieldIsDefined_IsNoPath()
    {
        Assert.All(SaleForm.SaleFields.Concat(SaleForm.OfferFields).Where(field => field != "sku"), field =>
        {
            Assert.NotEqual(field, Zh.FieldName(field));
            Assert.NotEqual(field, En.FieldName(field));
        });
    }

    [Theory]
    [InlineData("99", 9_900)]
    [InlineData(" 99.5 ", 9_950)]
    [InlineData("0.01", 1)]
    [InlineData("100000000.00", 10_000_000_000)]
    public void Money_WhenItIsYuan_IsFen(string typed, long fen) => Assert.Equal(fen, FormFields.Money(typed, "CNY")["amount"]!.GetValue<long>());

    [Theory]
    [InlineData("9.999")]
    [InlineData("-1")]
    [InlineData("1,000")]
    [InlineData("79228162514264337593543950335")]
    [InlineData("ten")]
    public void Money_WhenItIsNotAnAmount_StaysText(string typed) => Assert.Equal(JsonValueKind.String, FormFields.Money(typed, "CNY")["amount"]!.GetValueKind());

    [Theory]
    [InlineData("2030-06-18T20:00", "2030-06-18T20:00:00.000+08:00")]
    [InlineData("2030-06-18 20:00:01", "2030-06-18T20:00:01.000+08:00")]
    [InlineData("2030-06-18T20:00:01.25", "2030-06-18T20:00:01.250+08:00")]
    [InlineData("0001-01-01T00:00", "0001-01-01T00:00")]
    [InlineData("soon", "soon")]
    public void Time_WhenItIsBeijings_HasItsOffset(string typed, string sent) => Assert.Equal(sent, FormFields.Time(typed)!.GetValue<string>());

    /// <summary>Every definition has one thing wrong or several.</summary>
    private static IEnumerable<(string Path, string MustBe)> Messages()
    {
        var draft = SaleForm.Of(TestSale.Draft(Now.AddDays(1), stock: 10));
        (string Field, string Value)[] wrong =
        [
            ("slug", "No Slug"), ("slug", ""), ("title.zh", ""), ("opensAt", "x"), ("closesAt", "2030-06-01T00:00"), ("closesAt", "2030-12-01T00:00"), ("opensAt", "2031-01-01T00:00"),
            ("requiresReservation", "true"), ("reservationClosesAt", "2030-06-21T00:00"), ("reservationOpensAt", "2030-06-25T00:00"), ("ordering", "queued"), ("ordering", "what"), ("deduction", "payment"),
            ("paymentWindowSeconds", "1"), ("riskThreshold", "x"), ("defences.challenge", "x"), ("defences.drawMs", "7"), ("offers[0].faceValue", "1"), ("offers[0].price", "x"),
            ("offers[0].currency", "yuan"), ("offers[0].validFrom", "2031-01-01T00:00"), ("offers[0].stock", "0"),
        ];
        foreach (var (field, value) in wrong)
        {
            foreach (var error in ErrorsOf(new Dictionary<string, string>(draft.Values) { [field] = value }, 1))
            {
                yield return error;
            }
        }

        var twice = new Dictionary<string, string>(draft.Values) { ["reservationOpensAt"] = "2030-06-19T10:00", ["reservationClosesAt"] = "2030-06-19T09:00", ["defences.drawMs"] = "1000" };
        foreach (var field in SaleForm.OfferFields)
        {
            twice[SaleForm.OfferPath(1, field)] = twice[SaleForm.OfferPath(0, field)];
        }

        foreach (var error in ErrorsOf(twice, 2).Concat(ErrorsOf(new Dictionary<string, string>(draft.Values) { ["closesAt"] = "2030-06-19T20:00:00.5", ["defences.drawMs"] = "1500" }, 1)).Concat(ErrorsOf(draft.Values, 0)))
        {
            yield return error;
        }

        foreach (var error in ChangeErrors(draft))
        {
            yield return error;
        }

        var (_, adjustment) = FormFields.Read(new JsonObject { ["delta"] = 0 }, StockDesk.Read);
        foreach (var (path, texts) in adjustment)
        {
            yield return (path, texts[0]);
        }
    }

    private static IEnumerable<(string Path, string MustBe)> ChangeErrors(SaleForm draft)
    {
        var was = TestSale.Draft(Now.AddHours(-1), stock: 10) with { Status = SaleStatus.Published };
        var other = was with { Slug = "other", OpensAt = Now.AddMinutes(1), Offers = [was.Offers[0] with { Stock = 11, PerUserLimit = 2 }] };
        return SaleDefinition.Change(was, other, Now).Errors.SelectMany(error => error.Value.Select(text => (error.Key, text))).Concat(ErrorsOf(draft.Values, 1));
    }

    private static IEnumerable<(string Path, string MustBe)> ErrorsOf(IReadOnlyDictionary<string, string> values, int offers) =>
        SaleDefinition.Read(new SaleForm(values, offers).ToJson(), Now).Errors.SelectMany(error => error.Value.Select(text => (error.Key, text)));
}
