using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <param name="Line">Index of the address that it comes from; nobody of another kind does.</param>
/// <param name="Device">Index of the device that it uses.</param>
internal sealed record Member(Kind Kind, int Number, int Line, int Device, Plan Plan);

/// <summary>Everybody who takes part, with addresses and devices; the same for the same seed.</summary>
internal sealed class Crowd
{
    private readonly List<Member> members = [];
    private readonly List<int> connections = [];

    public Crowd(ContestSettings settings)
    {
        foreach (var kind in Enum.GetValues<Kind>())
        {
            Add(kind, settings);
        }
    }

    public IReadOnlyList<Member> Members => members;

    /// <summary>Of each address.</summary>
    public IReadOnlyList<int> Connections => connections;
    public int Devices { get; private set; }

    private void Add(Kind kind, ContestSettings settings)
    {
        var random = new Random(Seeds.Mix(settings.Seed, 0xC0 + (int)kind));
        var count = settings.AccountsOf(kind);
        var onDevice = Behaviour.AccountsOnDevice(kind);
        for (int number = 0, atAddress = 0; number < count; number++, atAddress--)
        {
            if (atAddress == 0)
            {
                atAddress = Behaviour.AccountsAtAddress(kind, random, count - number);
                connections.Add(atAddress * Behaviour.ConnectionsOf(kind));
            }

            Devices += number % onDevice == 0 ? 1 : 0;
            members.Add(new Member(kind, number, connections.Count - 1, Devices - 1, Behaviour.PlanOf(kind, random, settings.Length, settings.PaymentWindow)));
        }
    }
}
