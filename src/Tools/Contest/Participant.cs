using System.Security.Cryptography;

using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <summary>A device that its accounts share; what the first page gave it.</summary>
internal sealed class Device
{
    /// <summary>The first account opens the page before the others do.</summary>
    public SemaphoreSlim First { get; } = new(1);
    public string? Stamp { get; set; }
}

/// <summary>One account in one round.</summary>
internal sealed class Participant(Member member, Entry entry, Device device, long seed)
{
    private volatile HeldToken? firstToken;

    public Kind Kind => member.Kind;
    public Plan Plan => member.Plan;
    public Entry Entry => entry;
    public Device Device => device;
    public Random Random { get; } = new(Seeds.Mix(seed, (member.Number * 16L) + (int)member.Kind));
    public string? Visit { get; set; }

    /// <summary>As the server last said; null while it has not.</summary>
    public string? Reservation { get; set; }

    /// <summary>What a thief may steal.</summary>
    public HeldToken? FirstToken => firstToken;

    public void Hold(HeldToken token) => firstToken ??= token;

    /// <summary>The headers of its next call.</summary>
    public void DressUp()
    {
        if (Kind != Kind.Spoof)
        {
            entry.User.Headers = device.Stamp is { } stamp ? $"X-Device: {stamp}\r\n" : "";
            return;
        }

        var address = $"{Random.Next(1, 224)}.{Random.Next(256)}.{Random.Next(256)}.{Random.Next(1, 255)}";
        var forged = Convert.ToBase64String(RandomNumberGenerator.GetBytes(33)).Replace('+', '-').Replace('/', '_');
        entry.User.Headers = $"X-Forwarded-For: {address}\r\nX-Real-IP: {address}\r\nForwarded: for={address}\r\nX-Device: {forged}\r\nX-Deadline-Ms: 600000\r\n";
    }
}
