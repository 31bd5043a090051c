using FlashSale.Tools.Contest;
using FlashSale.Tools.Load;

using Xunit;

namespace FlashSale.Tests.Tools.Contest;

public sealed class CrowdTests
{
    internal static ContestSettings Settings(params Kind[] kinds) => new()
    {
        Target = new Uri("http://127.0.0.1:9"),
        AuthKey = new byte[32],
        People = 200,
        BotsPerPerson = 10,
        Stock = 100,
        Strategies = kinds,
        Rounds = RoundChoice.Both,
        Seed = 4,
        Length = TimeSpan.FromSeconds(30),
    };

    private static List<Member> Of(Crowd crowd, Kind kind) => [.. crowd.Members.Where(member => member.Kind == kind)];

    [Fact]
    public void Crowd_WithTheSameSeed_IsTheSame()
    {
        var settings = Settings([.. Kinds.Usual]);

        Assert.Equal(new Crowd(settings).Members, new Crowd(settings).Members);
        Assert.NotEqual(new Crowd(settings).Members, new Crowd(settings with { Seed = 5 }).Members);
    }

    [Fact]
    public void Crowd_OfManyStrategies_DealsTheBotsOutEvenly()
    {
        var crowd = new Crowd(Settings([.. Kinds.Usual]));

        Assert.Equal(200 * 11, crowd.Members.Count);
        Assert.Equal(200, Of(crowd, Kind.Person).Count);
        Assert.All(Kinds.Usual, kind => Assert.InRange(Of(crowd, kind).Count, 285, 286));
    }

    [Fact]
    public void Crowd_WithSoManyHoarders_HasThem() =>
        Assert.Equal(33, Of(new Crowd(Settings(Kind.Hoarder) with { Hoarders = 33 }), Kind.Hoarder).Count);

    [Theory]
    [InlineData(Kind.Instant, 4, 1)]
    [InlineData(Kind.DeviceFarm, 20, 100)]
    [InlineData(Kind.AddressFarm, 2_000, 1)]
    [InlineData(Kind.Spoof, 50, 1)]
    [InlineData(Kind.Mimic, 4, 1)]
    public void Crowd_OfAKind_SharesAddressesAndDevicesAsItSays(Kind kind, int atAddress, int onDevice)
    {
        var bots = Of(new Crowd(Settings(kind)), kind);

        Assert.Equal(2_000, bots.Count);
        Assert.All(bots.CountBy(bot => bot.Line), address => Assert.Equal(atAddress, address.Value));
        Assert.All(bots.CountBy(bot => bot.Device), device => Assert.Equal(onDevice, device.Value));
    }

    [Fact]
    public void Crowd_OfSeveralKinds_GivesNobodyAnothersAddressOrDevice()
    {
        var crowd = new Crowd(Settings([.. Kinds.ByWord.Values]));

        Assert.All(crowd.Members.GroupBy(member => member.Line), line => Assert.Single(line.Select(member => member.Kind).Distinct()));
        Assert.All(crowd.Members.GroupBy(member => member.Device), device => Assert.Single(device.Select(member => member.Kind).Distinct()));
        Assert.Equal(crowd.Devices, crowd.Members.Select(member => member.Device).Distinct().Count());
        Assert.All(crowd.Members.CountBy(member => member.Line), line => Assert.True(crowd.Connections[line.Key] >= line.Value));
    }

    [Fact]
    public void DressUp_OfASpoofer_LiesDifferentlyEachTime()
    {
        var spoofer = Someone(Kind.Spoof, out var device);
        device.Stamp = "real";
        spoofer.DressUp();
        var first = spoofer.Entry.User.Headers;
        spoofer.DressUp();

        Assert.NotEqual(first, spoofer.Entry.User.Headers);
        Assert.All((string[])["X-Forwarded-For: ", "X-Real-IP: ", "X-Device: ", "X-Deadline-Ms: "], header => Assert.Contains(header, first, StringComparison.Ordinal));
        Assert.DoesNotContain("real", first, StringComparison.Ordinal);
    }

    [Fact]
    public void DressUp_OfAnybodyElse_TellsTheDeviceThatItWasGiven()
    {
        var person = Someone(Kind.Person, out var device);
        person.DressUp();
        Assert.Equal("", person.Entry.User.Headers);
        device.Stamp = "stamp";
        person.DressUp();

        Assert.Equal("X-Device: stamp\r\n", person.Entry.User.Headers);
    }

    internal static Participant Someone(Kind kind, out Device device)
    {
        device = new Device();
        var offer = new PlannedOffer { Id = "1", Title = "", Stock = 1, TokensUri = new Uri("http://x/") };
        var sale = new PlannedSale { Id = "1", Slug = "", RequiresReservation = true, Offers = [offer], ReservationsUri = offer.TokensUri, ReservationUri = offer.TokensUri };
        var entry = new Entry { User = new Shopper("a", "", 0, null), Sale = sale, Offer = offer, Fate = Fate.Pays, ThinkTime = 0 };
        return new Participant(new Member(kind, 0, 0, 0, Behaviour.PlanOf(kind, new Random(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5))), entry, device, 1);
    }
}
