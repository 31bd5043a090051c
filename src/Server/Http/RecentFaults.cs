using FlashSale.Core;
using FlashSale.Core.RateLimits;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Http;

/// <summary>What users did wrong lately, as this instance saw it: order tokens that were refused, challenges that were not solved. The assessments hear of each.</summary>
public sealed class RecentFaults(ConductLog conduct, TimeProvider time)
{
    private readonly RecentMoments<UserId> moments = new(Limits.MomentsTracked, (long)(Limits.RecentWindow.TotalSeconds * time.TimestampFrequency));

    /// <param name="kind"><see cref="ConductKind.TokenRefused"/> or <see cref="ConductKind.ChallengeFailed"/>.</param>
    public void Note(UserId user, ConductKind kind)
    {
        conduct.Note(user, kind);
        moments.Take(user, time.GetTimestamp(), Limits.FaultsForgiven + 1);
    }

    /// <summary>More than happen to a person.</summary>
    public bool AreMany(UserId user) => moments.Count(user, time.GetTimestamp()) > Limits.FaultsForgiven;
}
