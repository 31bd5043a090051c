using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    private const int ClaimPiece = 16;

    private const string SelectClaims =
        """
        SELECT reservation_id, sale_id, user_id, evidence, attempts, created_at FROM assessments
        WHERE state = 'waiting' AND due_at <= ?1 ORDER BY due_at LIMIT ?2
        """;

    /// <summary>The status that counts is the reservation's: an operator may have decided otherwise since.</summary>
    private const string SelectAssessments =
        """
        SELECT a.reservation_id, a.sale_id, a.user_id, a.state, r.status, a.attempts, a.inputs, a.score, a.signals, a.rules, a.problem, a.created_at, a.decided_at
        FROM assessments a LEFT JOIN reservations r ON r.sale_id = a.sale_id AND r.user_id = a.user_id
        """;

    /// <summary>The words of conduct, and the inputs that they are counted into; in the order of their columns in <see cref="SelectRiskInputs"/>.</summary>
    private static readonly (string Kind, RiskInput Input)[] InputsOfConduct =
    [
        ("token_asked", RiskInput.TokensAsked),
        ("token_refused", RiskInput.TokensRefused),
        ("challenge_failed", RiskInput.ChallengesFailed),
        ("rate_limited", RiskInput.RateLimited),
        ("cancelled", RiskInput.Cancellations),
    ];

    /// <summary>
    /// Device ?1 and network ?2, null where they are not known, sale ?3 and user ?4, reserved at ?5; each count is bounded by ?9; conduct since the day ?10.
    /// One query: for each reservation it is a round trip.
    /// </summary>
    private static readonly string SelectRiskInputs =
        $"""
        SELECT (SELECT count(*) FROM (SELECT 1 FROM assessments WHERE sale_id = ?3 AND device = ?1 AND created_at <= ?5 LIMIT ?9) AS bounded),
               (SELECT count(*) FROM (SELECT 1 FROM assessments WHERE sale_id = ?3 AND network = ?2 AND created_at <= ?5 LIMIT ?9) AS bounded),
               (SELECT count(*) FROM (SELECT 1 FROM assessments WHERE sale_id = ?3 AND network = ?2 AND created_at <= ?5 AND created_at > ?6 LIMIT ?9) AS bounded),
               (SELECT count(DISTINCT network) FROM assessments WHERE user_id = ?4 AND created_at <= ?5 AND created_at > ?7),
               (SELECT count(*) FROM orders WHERE user_id = ?4 AND status = 'expired' AND pay_before > ?8),
               (SELECT count(*) FROM blacklist WHERE user_id = ?4),
               {string.Join(", ", InputsOfConduct.Select(one => $"(SELECT sum(count) FROM conduct WHERE user_id = ?4 AND kind = '{one.Kind}' AND day >= ?10)"))}
        """;

    public async Task<IReadOnlyList<ClaimedAssessment>> ClaimAssessmentsAsync(int count, TimeSpan visibility, CancellationToken cancellation)
    {
        // Most of the time nothing is due, and then nothing is written.
        var any = await ReadAsync(session => session.Query(SelectClaims, row => row.Long(1), session.Now.Ms(), 1).Count > 0, cancellation);
        return any ? await KeepAsync(session => Claim(session, count, session.Now + visibility), cancellation) : [];
    }

    private static List<ClaimedAssessment> Claim(SqlSession session, int count, DateTimeOffset until)
    {
        var claims = session.Query(
            SelectClaims + session.ForUpdateSkipLocked,
            row => new ClaimedAssessment(
                row.Guid(0),
                new SaleId(row.Long(1)),
                row.User(2),
                row.TextOrNull(3) is { } evidence ? JsonSerializer.Deserialize(evidence, WireJson.Default.Evidence)! : Evidence.Unknown,
                row.Int(4),
                row.Time(5),
                until),
            session.Now.Ms(), count);
        foreach (var piece in claims.Chunk(ClaimPiece))
        {
            // The last piece names its last one again and again: a statement has one length.
            object?[] values = [until.Ms(), .. Enumerable.Range(0, ClaimPiece).Select(i => piece[Math.Min(i, piece.Length - 1)].ReservationId.Bytes())];
            session.Execute(
                """
                UPDATE assessments SET due_at = ?1
                WHERE reservation_id IN (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) AND state = 'waiting'
                """,
                values);
        }

        return claims;
    }

    public Task<IReadOnlyList<RiskInputs>> ReadRiskInputsAsync(IReadOnlyList<ClaimedAssessment> claims, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<RiskInputs>>(session => [.. claims.Select(claim => ReadInputs(session, claim))], cancellation);

    private static RiskInputs ReadInputs(SqlSession session, ClaimedAssessment claim)
    {
        var inputs = claim.Evidence.ToInputs(claim.CreatedAt);
        var (device, at) = (claim.Evidence.Device, claim.CreatedAt);
        var network = claim.Evidence.Network.Length > 0 ? claim.Evidence.Network : null;
        session.First(
            SelectRiskInputs,
            row =>
            {
                inputs[RiskInput.AccountsOnDevice] = device is null ? null : row.Int(0);
                inputs[RiskInput.AccountsOnNetwork] = network is null ? null : row.Int(1);
                inputs[RiskInput.ReservationsOfNetworkPerMinute] = network is null ? null : row.Int(2);
                inputs[RiskInput.NetworksOfAccount] = row.Int(3);
                inputs[RiskInput.UnpaidHolds] = row.Int(4);
                inputs[RiskInput.EarlierBans] = row.Int(5);
                for (var i = 0; i < InputsOfConduct.Length; i++)
                {
                    inputs[InputsOfConduct[i].Input] = row.IsNull(6 + i) ? 0 : (int)Math.Min(row.Long(6 + i), int.MaxValue);
                }

                return true;
            },
            device, network, claim.SaleId.Value, claim.UserId.Value, at.Ms(), (at - TimeSpan.FromMinutes(1)).Ms(), (at - Limits.ConductLooksBack).Ms(),
            (at - Limits.UnpaidLooksBack).Ms(), Limits.RiskCountMax, Day(at - Limits.ConductLooksBack));
        return inputs;
    }

    public Task<IReadOnlyList<DecidedReservation>> DecideAssessmentsAsync(IReadOnlyList<AssessmentDecision> decisions, CancellationToken cancellation) =>
        decisions.Count == 0
            ? Task.FromResult<IReadOnlyList<DecidedReservation>>([])
            : KeepAsync<IReadOnlyList<DecidedReservation>>(session => Decide(session, decisions), cancellation);

    private static DecidedReservation AssessNow(
        SqlSession session, Reservation reservation, Evidence evidence, Func<ClaimedAssessment, RiskInputs, AssessmentDecision> assess)
    {
        var claim = new ClaimedAssessment(reservation.Id, reservation.SaleId, reservation.UserId, evidence, 0, session.Now, session.Now);
        var inputs = ReadInputs(session, claim);
        return Decide(session, [assess(claim, inputs)]).Single();
    }

    private static List<DecidedReservation> Decide(SqlSession session, IReadOnlyList<AssessmentDecision> decisions)
    {
        List<DecidedReservation> decided = [];
        // In one order, as everybody who locks several of them.
        foreach (var decision in decisions.OrderBy(decision => decision.Claim.ReservationId))
        {
            var claim = decision.Claim;
            var first = session.Execute(
                """
                UPDATE assessments SET state = 'done', inputs = CASE WHEN network IS NULL THEN NULL ELSE ?1 END, score = ?2, signals = ?3, rules = ?4,
                                       problem = NULL, decided_at = ?5
                WHERE reservation_id = ?6 AND state = 'waiting'
                """,
                JsonSerializer.Serialize(decision.Inputs.Named(), WireJson.Default.IReadOnlyDictionaryStringInt32), decision.Result.Score,
                JsonSerializer.Serialize(decision.Result.Signals, WireJson.Default.IReadOnlyListRiskSignal), decision.RulesVersion, session.Now.Ms(),
                claim.ReservationId.Bytes()) == 1;
            if (!first || !SetReservation(session, claim.SaleId, claim.UserId, decision.Status))
            {
                continue;
            }

            var until = decision.Status == ReservationStatus.Rejected ? BarRejected(session, decision) : null;
            decided.Add(new DecidedReservation(claim.ReservationId, claim.SaleId, claim.UserId, decision.Status, until));
        }

        if (decided.Exists(one => one.BarredUntil is not null))
        {
            RaiseCatalogRev(session);
            foreach (var one in decided.Where(one => one.BarredUntil is not null))
            {
                NoteChange(session, one.UserId, one.BarredUntil);
            }
        }

        return decided;
    }

    private static bool SetReservation(SqlSession session, SaleId sale, UserId user, ReservationStatus status) =>
        session.Execute(
            "UPDATE reservations SET status = ?1 WHERE sale_id = ?2 AND user_id = ?3 AND status = 'pending'", status.Word(), sale.Value, user.Value) == 1;

    private static DateTimeOffset? BarRejected(SqlSession session, AssessmentDecision decision)
    {
        var reasons = string.Join("; ", decision.Result.Signals.Where(signal => signal.Weight > 0).Select(signal => signal.Reason).DefaultIfEmpty("The threshold of the sale"));
        var entry = new BlacklistRequest(
            reasons[..Math.Min(reasons.Length, Limits.ReasonLength)], BarSource.Risk, session.Now + TimeSpan.FromDays(decision.BanDays));
        var actor = Actor.System($"sale/{decision.Claim.SaleId}, score {decision.Result.Score}: {entry.Reason}");
        return Bar(session, decision.Claim.UserId, entry, actor, "reservation.reject");
    }

    /// <summary>Bars a user for whom the program itself has a reason, unless somebody is barred for longer already; audited either way.</summary>
    /// <returns>Until when, if it was this that barred them. The caller raises the catalogue's revision.</returns>
    private static DateTimeOffset? Bar(SqlSession session, UserId user, BlacklistRequest entry, Actor actor, string action)
    {
        var before = FindLive(session, BlacklistKind.User, user.Value);
        var outlasts = before is not null && (before.ExpiresAt is null || before.ExpiresAt >= entry.ExpiresAt);
        var after = outlasts
            ? before!
            : new BlacklistEntry(BlacklistKind.User, user.Value, entry.Reason, entry.Source, actor.UserId, session.Now, entry.ExpiresAt);
        if (!outlasts)
        {
            Put(session, BlacklistKind.User, [after]);
        }

        Audit(session, actor, action, $"user/{user}", actor.Reason, Json(before), Json(after));
        return outlasts ? null : entry.ExpiresAt;
    }

    public Task DelayAssessmentsAsync(IReadOnlyList<AssessmentDelay> delays, CancellationToken cancellation) =>
        delays.Count == 0
            ? Task.CompletedTask
            : KeepAsync(
                session =>
                {
                    foreach (var delay in delays.OrderBy(delay => delay.Claim.ReservationId))
                    {
                        // Whoever has taken it since moved the time.
                        session.Execute(
                            "UPDATE assessments SET state = ?1, attempts = ?2, due_at = ?3, problem = ?4 WHERE reservation_id = ?5 AND state = 'waiting' AND due_at = ?6",
                            (delay.Dead ? AssessmentState.Dead : AssessmentState.Waiting).Word(), delay.Attempts, (session.Now + delay.Pause).Ms(),
                            delay.Problem[..Math.Min(delay.Problem.Length, Limits.ReasonLength)], delay.Claim.ReservationId.Bytes(), delay.Claim.ClaimedUntil.Ms());
                    }

                    return true;
                },
                cancellation);

    public Task<IReadOnlyList<AssessmentBacklog>> CountAssessmentsAsync(CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<AssessmentBacklog>>(
            session =>
            {
                var waiting = session.Query(
                    "SELECT sale_id, count(*), min(created_at) FROM assessments WHERE state = 'waiting' GROUP BY sale_id",
                    row => new AssessmentBacklog(new SaleId(row.Long(0)), row.Long(1), row.Time(2), 0));
                var dead = session.Query(
                    "SELECT sale_id, count(*) FROM assessments WHERE state = 'dead' GROUP BY sale_id",
                    row => new AssessmentBacklog(new SaleId(row.Long(0)), 0, null, row.Long(1)));
                return
                [
                    .. waiting.Concat(dead).GroupBy(backlog => backlog.SaleId).Select(sale => new AssessmentBacklog(
                        sale.Key, sale.Sum(one => one.Waiting), sale.Min(one => one.Since), sale.Sum(one => one.Dead))),
                ];
            },
            cancellation);

    public Task<IReadOnlyList<StoredAssessment>> ListAssessmentsAsync(
        SaleId sale, AssessmentState? state, Guid? before, int count, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<StoredAssessment>>(
            session => session.Query(
                SelectAssessments + " WHERE a.sale_id = ?1 AND a.reservation_id < ?2 AND (?3 = '' OR a.state = ?3) ORDER BY a.reservation_id DESC LIMIT ?4",
                Assessment,
                sale.Value, (before ?? Guid.AllBitsSet).Bytes(), state?.Word() ?? "", count),
            cancellation);

    public Task<StoredAssessment?> RetryAssessmentAsync(Guid reservation, Actor actor, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                if (session.Execute(
                    "UPDATE assessments SET state = 'waiting', attempts = 0, due_at = ?1 WHERE reservation_id = ?2 AND state = 'dead'",
                    session.Now.Ms(), reservation.Bytes()) == 1)
                {
                    Audit(session, actor, "assessment.retry", $"reservation/{reservation:N}", actor.Reason, null, null);
                }

                return FindAssessment(session, reservation);
            },
            cancellation);

    public Task<(StoredAssessment Assessment, DecidedReservation Decided, bool Unbarred)?> OverrideAssessmentAsync(
        Guid reservation, bool approved, Actor actor, CancellationToken cancellation) =>
        KeepAsync<(StoredAssessment, DecidedReservation, bool)?>(
            session =>
            {
                // A worker that decides at this moment comes before it or finds it done.
                session.First("SELECT 1 FROM assessments WHERE reservation_id = ?1" + session.ForUpdate, row => row.Long(0), reservation.Bytes());
                if (FindAssessment(session, reservation) is not { } before)
                {
                    return null;
                }

                var status = approved ? ReservationStatus.Approved : ReservationStatus.Rejected;
                session.Execute(
                    "UPDATE assessments SET state = 'done', problem = NULL, decided_at = ?1 WHERE reservation_id = ?2 AND state <> 'done'",
                    session.Now.Ms(), reservation.Bytes());
                session.Execute(
                    "UPDATE reservations SET status = ?1 WHERE sale_id = ?2 AND user_id = ?3", status.Word(), before.SaleId.Value, before.UserId.Value);
                var unbarred = approved && session.Execute(
                    "DELETE FROM blacklist WHERE user_id = ?1 AND source = ?2", before.UserId.Value, BarSource.Risk) == 1;
                if (unbarred)
                {
                    RaiseCatalogRev(session);
                    NoteChange(session, before.UserId, null);
                }

                Audit(session, actor, "assessment.decide", $"user/{before.UserId}", actor.Reason, StatusJson(before.Status), StatusJson(status));
                return (
                    FindAssessment(session, reservation)!,
                    new DecidedReservation(reservation, before.SaleId, before.UserId, status, null),
                    unbarred);
            },
            cancellation);

    public Task AddConductAsync(IReadOnlyList<ConductCount> conduct, CancellationToken cancellation) =>
        conduct.Count == 0
            ? Task.CompletedTask
            : KeepAsync(
                session =>
                {
                    foreach (var (user, kind, count) in conduct.OrderBy(one => one.UserId.Value, StringComparer.Ordinal).ThenBy(one => one.Kind, StringComparer.Ordinal))
                    {
                        AddConduct(session, user, kind, count);
                    }

                    return true;
                },
                cancellation);

    private static void AddConduct(SqlSession session, UserId user, string kind, int count)
    {
        const string Add = "UPDATE conduct SET count = count + ?1 WHERE user_id = ?2 AND kind = ?3 AND day = ?4";
        object?[] values = [count, user.Value, kind, Day(session.Now)];
        if (session.Execute(Add, values) == 0
            && !session.TryInsert("INSERT INTO conduct (count, user_id, kind, day) VALUES (?1, ?2, ?3, ?4)", values))
        {
            // Another instance was faster.
            session.Execute(Add, values);
        }
    }

    public async Task<bool> ForgetAsync(CancellationToken cancellation)
    {
        var (evidence, conduct, contacts) = await ReadAsync(
            session => (
                session.Query("SELECT id FROM sales WHERE closes_at <= ?1", row => row.Long(0), (session.Now - Limits.EvidenceKept).Ms())
                    .SelectMany(sale => session.Query(
                        "SELECT reservation_id FROM assessments WHERE sale_id = ?1 AND network IS NOT NULL LIMIT ?2", row => row.Guid(0), sale, Limits.ForgetPiece))
                    .Take(Limits.ForgetPiece)
                    .ToList(),
                session.Query(
                    "SELECT user_id, kind, day FROM conduct WHERE day < ?1 LIMIT ?2",
                    row => (User: row.Text(0), Kind: row.Text(1), Day: row.Long(2)),
                    Day(session.Now - Limits.EvidenceKept), Limits.ForgetPiece),
                session.Query("SELECT order_id FROM order_contacts WHERE forget_at <= ?1 LIMIT ?2", row => row.Guid(0), session.Now.Ms(), Limits.ForgetPiece)),
            cancellation);
        if (evidence.Count + conduct.Count + contacts.Count == 0)
        {
            return false;
        }

        return await KeepAsync(
            session =>
            {
                foreach (var reservation in evidence.Order())
                {
                    session.Execute(
                        "UPDATE assessments SET device = NULL, network = NULL, evidence = NULL, inputs = NULL WHERE reservation_id = ?1", reservation.Bytes());
                }

                foreach (var (user, kind, day) in conduct)
                {
                    session.Execute("DELETE FROM conduct WHERE user_id = ?1 AND kind = ?2 AND day = ?3", user, kind, day);
                }

                foreach (var order in contacts.Order())
                {
                    session.Execute("DELETE FROM order_contacts WHERE order_id = ?1", order.Bytes());
                }

                return true;
            },
            cancellation);
    }

    public Task<ErasedEvidence> EraseUserAsync(UserId user, Actor actor, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                var erased = new ErasedEvidence(
                    session.Execute(
                        "UPDATE assessments SET device = NULL, network = NULL, evidence = NULL, inputs = NULL WHERE user_id = ?1 AND network IS NOT NULL", user.Value),
                    session.Execute("DELETE FROM conduct WHERE user_id = ?1", user.Value),
                    session.Execute("DELETE FROM order_contacts WHERE user_id = ?1", user.Value));
                Audit(session, actor, "risk.erase", $"user/{user}", actor.Reason, null, null);
                return erased;
            },
            cancellation);

    private static void InsertAssessment(SqlSession session, Reservation reservation, Evidence evidence)
    {
        var now = session.Now.Ms();
        session.Execute(
            """
            INSERT INTO assessments (reservation_id, sale_id, user_id, state, attempts, due_at, device, network, evidence, created_at)
            VALUES (?1, ?2, ?3, 'waiting', 0, ?4, ?5, ?6, ?7, ?4)
            """,
            reservation.Id.Bytes(), reservation.SaleId.Value, reservation.UserId.Value, now, evidence.Device, evidence.Network,
            JsonSerializer.Serialize(evidence, WireJson.Default.Evidence));
    }

    private static string StatusJson(ReservationStatus status) => $$"""{"status":"{{status.Word()}}"}""";

    private static StoredAssessment? FindAssessment(SqlSession session, Guid reservation) =>
        session.First(SelectAssessments + " WHERE a.reservation_id = ?1", Assessment, reservation.Bytes());

    private static StoredAssessment Assessment(Row row) => new(
        row.Guid(0),
        new SaleId(row.Long(1)),
        row.User(2),
        row.Word<AssessmentState>(3),
        row.Word<ReservationStatus>(4),
        row.Int(5),
        row.TextOrNull(6) is { } inputs ? RiskInputs.Of(JsonSerializer.Deserialize(inputs, WireJson.Default.IReadOnlyDictionaryStringInt32)!) : null,
        row.IsNull(7) ? null : row.Int(7),
        row.TextOrNull(8) is { } signals ? JsonSerializer.Deserialize(signals, WireJson.Default.IReadOnlyListRiskSignal)! : [],
        row.TextOrNull(9),
        row.TextOrNull(10),
        row.Time(11),
        row.TimeOrNull(12));

    /// <summary>Days since 1970-01-01, UTC.</summary>
    private static int Day(DateTimeOffset time) => (int)(time.Ms() / (long)TimeSpan.FromDays(1).TotalMilliseconds);
}
