using System.Text;

using FlashSale.Tools.History;
using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <summary>What everybody does, each with their own patience: open the page, reserve, get order tokens, buy.</summary>
internal sealed class Steps(ShopClient shop, Shopping shopping, Solver solver, RunClock clock, Uri target, long opening, CancellationToken stopping)
{
    private const int AttemptsMax = 60;
    private const int ChallengesMax = 3;
    private long lastPaidAt;

    /// <summary>When the last payment was seen, after the opening; null without one.</summary>
    public TimeSpan? LastPaid => Volatile.Read(ref lastPaidAt) is var at and > 0 ? TimeSpan.FromMicroseconds(at - opening) : null;

    /// <summary>Opens the page of the sale, again while the server is too busy: a device that has none gets its stamp.</summary>
    public async Task VisitAsync(Participant one)
    {
        if (one.Device.Stamp is not null)
        {
            await LookAsync(one);
            return;
        }

        await one.Device.First.WaitAsync(stopping);
        try
        {
            var answer = await LookAsync(one);
            one.Device.Stamp ??= answer.Device;
        }
        finally
        {
            one.Device.First.Release();
        }
    }

    /// <returns>Whether it is approved.</returns>
    public async Task<bool> ReserveAsync(Participant one)
    {
        var entry = one.Entry;
        var visit = one.Plan.ShowsVisit ? one.Visit : null;
        string? solution = null;
        var (reserved, challenges, at) = (false, 0, clock.Now);
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            one.DressUp();
            var call = reserved
                ? new Call(HistoryOps.Reservation, HttpMethod.Get, entry.Sale.ReservationUri, entry.User, at)
                : new Call(HistoryOps.Reserve, HttpMethod.Post, entry.Sale.ReservationsUri, entry.User, at) { Body = BodyOf(visit, solution) };
            var answer = await shop.SendAsync(call with { Sale = entry.Sale.Id });
            if (answer.IsSuccess)
            {
                reserved = true;
                one.Reservation = answer.State;
                if (answer.State != "pending")
                {
                    return answer.State == "approved";
                }
            }
            else if (answer.Challenge is { } challenge && challenges++ < ChallengesMax)
            {
                solution = await solver.SolveAsync(one, challenge);
                at = clock.Now;
                continue;
            }
            else if (!Shopping.IsPassing(answer))
            {
                return false;
            }

            at = await shopping.WaitAsync(answer, attempt);
        }

        return false;
    }

    /// <param name="patient">Waits as it is told when it asked too often; otherwise it is content with what it has.</param>
    /// <returns>Null when it gets none.</returns>
    public async Task<HeldToken?> GetTokenAsync(Participant one, bool patient = true)
    {
        string? solution = null;
        var (challenges, at) = (0, clock.Now);
        for (var attempt = 0; attempt < AttemptsMax && !one.Entry.Offer.IsSettled; attempt++)
        {
            one.DressUp();
            var asked = clock.Now;
            var answer = await shop.SendAsync(Shopping.TokenCall(one.Entry, at) with { Body = BodyOf(one.Visit, solution) });
            if (answer.Token is { } text)
            {
                var token = HeldToken.Of(text, asked, clock.Now + Shopping.TokenAge);
                one.Hold(token);
                return token;
            }

            if (answer.Challenge is { } challenge && challenges++ < ChallengesMax)
            {
                solution = await solver.SolveAsync(one, challenge);
                at = clock.Now;
                continue;
            }

            if (!Shopping.IsPassing(answer) || (answer.Status == 429 && !patient))
            {
                return null;
            }

            at = await shopping.WaitAsync(answer, attempt);
        }

        return null;
    }

    public Call OrderCall(Participant one, HeldToken token, long at)
    {
        one.DressUp();
        return shopping.OrderCall(one.Entry, token, at);
    }

    /// <summary>Submits one token until there is a final answer or nothing left to be had, and does with an order what this account does with it.</summary>
    /// <returns>How its order ended; null without one.</returns>
    public async Task<string?> BuyAsync(Participant one, HeldToken token, long at)
    {
        var entry = one.Entry;
        at = Math.Max(at, token.UsableAt);
        await clock.DelayUntil(at, stopping);
        for (var attempt = 0; !entry.Offer.IsSettled; attempt++)
        {
            var answer = await shop.SendAsync(OrderCall(one, token, at));
            if (answer is { IsSuccess: true, Id: { } order })
            {
                var state = await shopping.EndAsync(entry, token, order, answer.State);
                if (state == "paid")
                {
                    Volatile.Write(ref lastPaidAt, clock.Now);
                }

                return state;
            }

            var soldOut = answer.Code == "sold-out";
            if (soldOut)
            {
                entry.Offer.CountSoldOut();
            }
            else if (!Shopping.IsPassing(answer))
            {
                return null;
            }

            at = one.Kind == Kind.Person && !soldOut ? await shopping.WaitAsync(answer, attempt) : await ComeBackAsync(one);
        }

        return null;
    }

    private async Task<long> ComeBackAsync(Participant one)
    {
        var now = clock.Now;
        var due = now + one.Kind switch
        {
            Kind.Person => Behaviour.Between(one.Random, Behaviour.PersonReturnsMin, Behaviour.PersonReturnsMax),
            _ when now < opening + Behaviour.HammerFor => Behaviour.HammerEvery,
            _ => Behaviour.Between(one.Random, Behaviour.KnockEvery / 2.0, Behaviour.KnockEvery),
        };
        await clock.DelayUntil(due, stopping);
        return due;
    }

    private async Task<Answer> LookAsync(Participant one)
    {
        var uri = new Uri(target, $"/api/v1/sales/{one.Entry.Sale.Id}/visits");
        var at = clock.Now;
        for (var attempt = 0; ; attempt++)
        {
            one.DressUp();
            var answer = await shop.SendAsync(new Call(HistoryOps.Visit, HttpMethod.Post, uri, one.Entry.User, at) { Sale = one.Entry.Sale.Id });
            one.Visit = answer.Visit ?? one.Visit;
            if (attempt == AttemptsMax || !Shopping.IsPassing(answer))
            {
                return answer;
            }

            at = await shopping.WaitAsync(answer, attempt);
        }
    }

    /// <summary>Stamps need no escaping.</summary>
    private static byte[] BodyOf(string? visit, string? solution)
    {
        var members = new[] { visit is null ? null : $"\"visit\":\"{visit}\"", solution is null ? null : $"\"solution\":{solution}" };
        return Encoding.UTF8.GetBytes($"{{{string.Join(',', members.Where(member => member is not null))}}}");
    }
}
