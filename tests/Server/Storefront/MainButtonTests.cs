using FlashSale.Server.Storefront;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>The one table of the main button, as the server reads it. That the script reads the same is in ScriptButtonTests.</summary>
public sealed class MainButtonTests
{
    /// <summary>The contract with those who use the shop, word by word.</summary>
    [Theory]
    [InlineData(MainButton.Loading, "loading", "加载中", "Loading", false)]
    [InlineData(MainButton.SignIn, "sign_in", "登录后参与", "Sign in to join", true)]
    [InlineData(MainButton.Reserve, "reserve", "立即预约", "Reserve", true)]
    [InlineData(MainButton.Reserved, "reserved", "已预约", "Reserved", false)]
    [InlineData(MainButton.ReservationClosed, "reservation_closed", "未预约，无法参与", "Reservations closed", false)]
    [InlineData(MainButton.NotEligible, "not_eligible", "暂不符合参与条件", "Not eligible", false)]
    [InlineData(MainButton.Soon, "soon", "即将开抢", "Starting soon", false)]
    [InlineData(MainButton.Grab, "grab", "立即抢购", "Grab it", true)]
    [InlineData(MainButton.Submitting, "submitting", "提交中…", "Sending", false)]
    [InlineData(MainButton.Queued, "queued", "排队中，请勿离开", "In line", false)]
    [InlineData(MainButton.Won, "won", "抢到了，去支付", "You got it – pay now", true)]
    [InlineData(MainButton.Already, "already", "已抢到，查看订单", "View your order", true)]
    [InlineData(MainButton.Maybe, "maybe", "还有机会", "Still a chance", true)]
    [InlineData(MainButton.SoldOut, "sold_out", "已抢光", "Sold out", false)]
    [InlineData(MainButton.Paused, "paused", "活动暂停，请稍候", "Paused", false)]
    [InlineData(MainButton.Ended, "ended", "已结束", "Ended", false)]
    [InlineData(MainButton.Busy, "busy", "人太多了，{n} 秒后自动重试", "Busy, retrying in {n} s", false)]
    [InlineData(MainButton.Offline, "offline", "网络已断开", "You are offline", false)]
    public void Row_OfEachState_IsAsAgreed(MainButton button, string word, string zh, string en, bool enabled)
    {
        Assert.Equal(new MainButtonRow(button, word, zh, en, enabled), MainButtonTable.Row(button));
        Assert.Equal((zh, en), (Language.Zh.Texts.Label(button), Language.En.Texts.Label(button)));
        Assert.Equal(enabled, MainButtons.IsEnabled(button));
    }

    [Fact]
    public void Rows_AreTheStatesOfTheEnum() => Assert.Equal(Enum.GetValues<MainButton>(), MainButtonTable.Rows.Select(row => row.Button));

    [Fact]
    public void Decide_ForEveryCombinationOfFacts_HasAnAnswerAndUsesEveryState()
    {
        HashSet<MainButton> found = [];
        foreach (var facts in Combinations())
        {
            var button = MainButtonTable.Decide(fact => facts[fact]);

            found.Add(button);
            // Nothing that takes part is enabled before the server says that the sale is open.
            Assert.False(button is MainButton.Grab or MainButton.Maybe && facts["phase"] is not ("open" or "sold_out"));
        }

        Assert.Equal(Enum.GetValues<MainButton>(), found.Order());
    }

    /// <summary>Every combination of the words of all facts. The same dictionary again and again.</summary>
    public static IEnumerable<IReadOnlyDictionary<string, string>> Combinations()
    {
        (string Fact, IReadOnlyList<string> Words)[] facts = [.. MainButtonTable.Facts.Select(fact => (fact.Key, fact.Value))];
        var all = facts.Aggregate(1, (product, fact) => product * fact.Words.Count);
        Dictionary<string, string> one = [];
        for (var i = 0; i < all; i++)
        {
            var rest = i;
            foreach (var (fact, words) in facts)
            {
                one[fact] = words[rest % words.Count];
                rest /= words.Count;
            }

            yield return one;
        }
    }
}
