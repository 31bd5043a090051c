using System.Reflection;

using FlashSale.Server.Storefront;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

public sealed class TextsTests
{
    [Fact]
    public void Texts_WhateverTheyAre_AreThereInBothLanguages()
    {
        var texts = typeof(Texts).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(text => text.PropertyType == typeof(string)).ToArray();
        Assert.True(texts.Length > 100);
        foreach (var text in texts)
        {
            var (zh, en) = ((string)text.GetValue(Language.Zh.Texts)!, (string)text.GetValue(Language.En.Texts)!);

            // The name of the other language is written in that language.
            Assert.True(IsChinese(zh) != (text.Name == nameof(Texts.OtherLanguage)), $"{text.Name}: {zh}");
            Assert.True(IsChinese(en) == (text.Name == nameof(Texts.OtherLanguage)), $"{text.Name}: {en}");
        }
    }

    [Theory]
    [InlineData("2026-11-26T12:00:00Z", "2026年11月26日 20:00", "26 Nov 2026, 20:00")]
    [InlineData("2026-12-31T16:00:05Z", "2027年1月1日 00:00:05", "1 Jan 2027, 00:00:05")]
    public void Time_OfAnyMoment_IsBeijingTimeAsItIsWrittenThere(string at, string zh, string en)
    {
        var moment = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal((zh, en), (Language.Zh.Texts.Time(moment), Language.En.Texts.Time(moment)));
    }

    [Theory]
    [InlineData(900, "15 分钟", "15 min")]
    [InlineData(90, "1 分钟 30 秒", "1 min 30 s")]
    [InlineData(5_400, "1 小时 30 分钟", "1 h 30 min")]
    public void Span_OfAnyTime_IsALengthAndNoMoment(int seconds, string zh, string en) =>
        Assert.Equal((zh, en), (Language.Zh.Texts.Span(TimeSpan.FromSeconds(seconds)), Language.En.Texts.Span(TimeSpan.FromSeconds(seconds))));

    private static bool IsChinese(string text) => text.Any(c => c is >= '\u4e00' and <= '\u9fff');
}
