namespace FlashSale.Core;

/// <summary>
/// Every bound of the system, with the arithmetic between them. A value that may be set by an operator has its default and
/// its range here; the rest is fixed.
/// </summary>
public static class Limits
{
    // What a sale may be (api.md, Operators).
    public const int OffersPerSale = 50;
    public const int StockMax = 1_000_000;
    public const int PerUserLimitMax = 10;
    public const int SlugLength = 64;
    public const int TitleLength = 120;
    public const int SkuLength = 64;
    public const int ReasonLength = 500;
    public const int ReferenceLength = 100;
    public const int ContactNameLength = 60;
    public const int ContactPhoneLength = 20;
    public const int ContactCityLength = 60;
    public const int RiskScoreMax = 100;
    public const long MoneyMax = 100_000_000_00; // 100 million yuan in fen
    public static readonly TimeSpan PaymentWindowMin = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan PaymentWindowMax = TimeSpan.FromHours(24);
    public static readonly TimeSpan SaleLengthMax = TimeSpan.FromDays(31);

    /// <summary>A sale is warm before anybody may ask for an order token (<see cref="TokensBeforeOpening"/>).</summary>
    public static readonly TimeSpan WarmUpLeadMin = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan WarmUpLead = TimeSpan.FromMinutes(15);
    public static readonly TimeSpan WarmUpLeadMax = TimeSpan.FromDays(7);

    /// <summary>Stock after all adjustments of an offer together stays within this.</summary>
    public const int AdjustedStockMax = 10 * StockMax;

    // People and requests.
    public const int UserIdLength = 64;
    public const int PageSize = 50;

    /// <summary>Orders that one page of the operators' desk reads to find those it shows, all offers of a sale together: some ten milliseconds.</summary>
    public const int OrdersLookedThrough = 2_000;

    /// <summary>Rows of a CSV file: a spreadsheet opens 1,048,576.</summary>
    public const int CsvRows = 1_000_000;

    /// <summary>Rows that a page of the console looks through for those of a filter, and in one piece: a few milliseconds each.</summary>
    public const int FilterRows = 10_000;
    public const int FilterPiece = 500;

    /// <summary>A request to order is its token (at most 206 characters) in a small JSON object.</summary>
    public const int OrderBodyBytes = 4 * 1024;

    /// <summary>50 offers with two titles of 120 characters, each up to 6 bytes escaped, fit four times.</summary>
    public const int AdminBodyBytes = 512 * 1024;

    /// <summary>
    /// What is read of any body: the rest of one that is refused as too large is thrown away up to here, so that its sender sees the answer. Beyond it the
    /// connection ends.
    /// </summary>
    public const int BodyBytesRead = BlacklistImportBytes + AdminBodyBytes;

    /// <summary>So much of a body has come before its request takes a place among those under way: all of what shoppers and payment providers send.</summary>
    public const int BodyBytesAwaited = 16 * 1024;
    public const int JsonDepth = 16;
    public const int HeaderBytes = 16 * 1024;
    public const int Connections = 20_000;

    // Order tokens (seed row 16).
    public static readonly TimeSpan TokenMinimumAge = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan TokenMaximumAge = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan TokensBeforeOpening = TimeSpan.FromMinutes(10);

    /// <summary>A key for signing has at least as many bytes as SHA-256 gives out (RFC 2104, section 3).</summary>
    public const int SigningKeyBytes = 32;

    /// <summary>The longest that an operator may let tokens live.</summary>
    public static readonly TimeSpan TokenMaximumAgeMost = TimeSpan.FromHours(1);

    /// <summary>A person who is called away for a moment comes back in time; a store of solved challenges is worth nothing a little later.</summary>
    public static readonly TimeSpan ChallengeLifetime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long the gate remembers ended orders and ended sales: until the last token for them has died, with a minute to spare. The id of an order may be as old
    /// as the challenge that its tokens were asked for with.
    /// </summary>
    public static readonly TimeSpan GateKeepsEnded = ChallengeLifetime + TokenMaximumAgeMost + TimeSpan.FromMinutes(1);

    // Defences of a sale (docs/threat-model.md); the ranges of what an operator chooses.
    /// <summary>65,536 hashes: a quarter of a second on a phone, and for a farm of 10,000 accounts an hour of one core.</summary>
    public const int ChallengeBits = 16;
    public const int ChallengeBitsMin = 8;
    public const int ChallengeBitsMax = 24;

    /// <summary>A person opens the checkout a few times; ten tabs that are reloaded twenty times fit.</summary>
    public const int TokensPerUser = 200;
    public const int TokensPerUserMax = 1_000;
    public const int AccountsPerDeviceMax = 1_000;
    public const int AccountsPerAddressMax = 100_000;
    public const int UnpaidHolds = 3;
    public const int UnpaidHoldsMax = 10;
    public const int BarMinutes = 24 * 60;
    public const int BarMinutesMax = 30 * 24 * 60;

    /// <summary>A question that is answered sooner was not read by a person.</summary>
    public static readonly TimeSpan AnswerMinimumAge = TimeSpan.FromSeconds(4);

    /// <summary>Digits of a nonce, at most: all that a 64-bit counter can have.</summary>
    public const int NonceLength = 20;

    /// <summary>What comes sooner after the first page of a device, or after the page with the button, was not done by a person.</summary>
    public static readonly TimeSpan DeviceAgeMin = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan VisitAgeMin = TimeSpan.FromSeconds(1);

    /// <summary>A device stays the same for a year after its last visit.</summary>
    public static readonly TimeSpan DeviceCookieAge = TimeSpan.FromDays(365);

    /// <summary>An order token is what a user may be given <see cref="TokensPerUser"/> of within this time; refusals and failures are remembered as long.</summary>
    public static readonly TimeSpan RecentWindow = TimeSpan.FromMinutes(10);

    /// <summary>Refused order tokens and failed challenges within <see cref="RecentWindow"/> that happen to a person; more are a program's.</summary>
    public const int FaultsForgiven = 3;

    /// <summary>Moments that an instance remembers of users, at most: about 90 MB when each is another user's.</summary>
    public const int MomentsTracked = 512 * 1024;

    /// <summary>Pairs of an account with a device or a network that an instance remembers, at most: about 25 MB.</summary>
    public const int AccountsTracked = 256 * 1024;

    /// <summary>The body of a request for a reservation or an order token: a visit, a challenge and its solution, each at most 204 characters.</summary>
    public const int AskBodyBytes = 4 * 1024;

    /// <summary>People press within a few hundred milliseconds of each other; who waits longer for an answer presses again.</summary>
    public const int DrawMsMin = 100;
    public const int DrawMsMax = 1_500;

    /// <summary>Requests that wait for draws in one instance, at most: no more can be connected.</summary>
    public const int DrawEntries = Connections;

    /// <summary>Entries in one transaction: a few milliseconds of the ledger, during which no other instance enters any.</summary>
    public const int DrawBatch = 1_000;

    /// <summary>
    /// After the window, for the entries of all instances to reach the ledger: several commits. The longest window and this together are less than
    /// <see cref="OrderDeadline"/>: who came in time may wait for the draw.
    /// </summary>
    public static readonly TimeSpan DrawGrace = TimeSpan.FromMilliseconds(300);

    /// <summary>How long after that the ledger is waited for. Longest window, grace, this and <see cref="OrderDeadline"/> are the 4.5 s that the gateway waits.</summary>
    public static readonly TimeSpan DrawPatience = TimeSpan.FromMilliseconds(700);

    /// <summary>What the first of the draw are ahead of all others: several steps of every instance, and a commit.</summary>
    public static readonly TimeSpan DrawOthersAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>How often an instance looks whether something is due in a draw, and writes what has come.</summary>
    public static readonly TimeSpan DrawStep = TimeSpan.FromMilliseconds(20);

    /// <summary>Orders of a draw under way at once: four batches of the ledger writer, so that it is busy and its queue is short.</summary>
    public const int DrawAtOnce = 4 * BatchMax;

    /// <summary>Documents of draws that an instance keeps: about 2 MB each where every connection of one instance entered.</summary>
    public const int DrawsCached = 16;

    /// <summary>Users and kinds of conduct that are counted between two writes, a second apart: about 8 MB.</summary>
    public const int ConductTracked = 64 * 1024;

    // The blacklist.
    /// <summary>Widest ranges that can be barred, so that a typo does not bar half of the world: 16 million addresses of IPv4.</summary>
    public const int BlacklistPrefixMinV4 = 8;
    public const int BlacklistPrefixMinV6 = 16;

    /// <summary>Lines of one import; 200 bytes each fit into <see cref="BlacklistImportBytes"/>.</summary>
    public const int BlacklistImportLines = 10_000;
    public const int BlacklistImportBytes = 4 * AdminBodyBytes;

    /// <summary>Entries that an export reads at once.</summary>
    public const int BlacklistPage = 1_000;

    /// <summary>Changes that are followed one by one; of more, everything is loaded: about as much work for a gate in Redis as a list of 10,000.</summary>
    public const int BlacklistFollowed = 500;

    /// <summary>Revisions for which changes are kept: who has missed more loads everything.</summary>
    public const int BlacklistChangesKept = 2 * BlacklistFollowed;

    /// <summary>Everything is loaded again after so long, so that a gate that lost an entry has it again.</summary>
    public static readonly TimeSpan BlacklistFromStart = TimeSpan.FromMinutes(10);

    /// <summary>Entries that have run out are kept so long: risk control counts them as earlier bars.</summary>
    public static readonly TimeSpan BlacklistKept = TimeSpan.FromDays(30);

    /// <summary>Entries that have run out and are deleted in one transaction: a few milliseconds.</summary>
    public const int BlacklistForgotten = 256;
    public static readonly TimeSpan BlacklistForgetInterval = TimeSpan.FromMinutes(1);

    /// <summary>Address ranges that a gateway is told: 200 kB of its document, four times a second. Of more it knows the widest.</summary>
    public const int BlacklistRangesTold = 10_000;

    // Risk control (docs/risk.md).
    public const int RiskRules = 200;
    public const int RiskRuleNameLength = 64;
    public const int RiskReasonLength = 200;
    public const int RiskVersionLength = 64;
    public const int RiskBanDaysMax = 3_650;

    /// <summary>Beyond it a count says no more: a crowd on one address must not make each assessment read all that came before it.</summary>
    public const int RiskCountMax = 500;

    /// <summary>How long a claimed assessment belongs to its worker; then another takes it. Two waves of providers that hang fit twice.</summary>
    public static readonly TimeSpan AssessmentVisibility = TimeSpan.FromSeconds(10);

    /// <summary>Assessments in one claim where providers are asked.</summary>
    public const int AssessmentBatch = ProviderCalls;

    /// <summary>
    /// Between the beginnings of two assessments that ask providers: in one burst they would take the processors from the orders. With providers of 50 ms it
    /// leaves about 250 a second.
    /// </summary>
    public static readonly TimeSpan AssessmentPace = TimeSpan.FromMilliseconds(3);

    /// <summary>Decisions in one transaction: about a millisecond, during which the embedded ledger writes no orders.</summary>
    public const int AssessmentPiece = 16;

    /// <summary>Where nobody is asked: about as many orders as a commit carries.</summary>
    public const int QuickAssessmentBatch = 256;

    /// <summary>How often a worker looks for what other instances took, or nobody finished.</summary>
    public static readonly TimeSpan AssessmentPoll = TimeSpan.FromMilliseconds(250);

    /// <summary>Failed attempts after which people must look: with the pauses between them about three minutes.</summary>
    public const int AssessmentAttempts = 12;
    public static readonly TimeSpan AssessmentPause = TimeSpan.FromMilliseconds(500);
    public static readonly TimeSpan AssessmentPauseMax = TimeSpan.FromSeconds(30);

    /// <summary>Calls to one provider under way.</summary>
    public const int ProviderCalls = 64;
    public static readonly TimeSpan ProviderTimeout = TimeSpan.FromSeconds(2);
    public const int ProviderAnswerBytes = 16 * 1024;

    /// <summary>Of what a provider counts (days, orders, bans): a hundred years of days fit.</summary>
    public const int ProviderCountMax = 1_000_000;

    /// <summary>Reservations that a dry run reads, and in one page of it.</summary>
    public const int DryRunReservations = 100_000;
    public const int DryRunPage = 1_000;
    public const int DryRunExamples = 20;

    /// <summary>Users and kinds of conduct written in a second, in pieces of a few milliseconds: the ledger sells meanwhile.</summary>
    public const int ConductPerSecond = 1_000;
    public const int ConductPiece = 100;

    /// <summary>How far back an assessment looks.</summary>
    public static readonly TimeSpan ConductLooksBack = TimeSpan.FromDays(7);
    public static readonly TimeSpan UnpaidLooksBack = TimeSpan.FromDays(30);

    /// <summary>Conduct is forgotten so long after it was counted, evidence so long after the end of its sale.</summary>
    public static readonly TimeSpan EvidenceKept = TimeSpan.FromDays(30);
    public const int ForgetPiece = 500;

    /// <summary>Orders that were not paid count towards the bar of their user so long (<see cref="Sales.SaleDefences.UnpaidHolds"/>).</summary>
    public static readonly TimeSpan UnpaidHoldsWithin = TimeSpan.FromHours(24);

    /// <summary>
    /// Unpaid orders end up to a quarter of their payment window after it, and no more than this: nobody can foretell when a unit comes back, and they do not
    /// come all at once.
    /// </summary>
    public static readonly TimeSpan ExpirySpreadMax = TimeSpan.FromSeconds(8);

    /// <summary>More time to pay is half of what there was, within these: enough to press one button, and not so much that units lie idle.</summary>
    public static readonly TimeSpan ExtensionMin = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan ExtensionMax = TimeSpan.FromMinutes(5);

    // The ledger writer (design section 7).
    /// <summary>Orders in one transaction, at most. Gains flatten out here: 97 k/s in batches of 512 against 73 k/s of 128.</summary>
    public const int BatchMax = 512;

    /// <summary>Orders that wait for one writer, at most: 16 batches, about half a second of work at 15 k/s.</summary>
    public const int WriterQueue = 16 * BatchMax;

    /// <summary>An order that waited longer is answered with 503 and never costs a transaction.</summary>
    public static readonly TimeSpan OrderDeadline = TimeSpan.FromSeconds(2);

    /// <summary>How long the writer tries to learn the outcome of a commit before it answers that it is unknown.</summary>
    public static readonly TimeSpan UnknownOutcomeDeadline = TimeSpan.FromSeconds(2);

    /// <summary>Pending entries in the gate outlive every order that the writer may still commit.</summary>
    public static readonly TimeSpan GatePendingMax = OrderDeadline + TimeSpan.FromSeconds(1);
    public static readonly TimeSpan SettleInterval = TimeSpan.FromMilliseconds(250);

    // Without the gate (design section 6).
    /// <summary>
    /// Orders a second that an instance takes to the ledger without the gate: a tenth of what a ledger writer commits, so that it never fills the queue by
    /// itself, and a few hundred units are sold within the first second all the same.
    /// </summary>
    public const int DirectOrdersPerSecond = 2_000;

    /// <summary>One in so many orders always goes without a shared gate, so that the way is known to work.</summary>
    public const int DirectOrderShare = 128;

    // Breakers (docs/decisions/0013).
    /// <summary>A breaker opens when half of the calls failed that it looks back on, and stays open this long before one call tries again.</summary>
    public static readonly TimeSpan BreakerBreak = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Where every order passes (gate, risk), it looks back this far: twice as long as a call of Redis may take, so that calls that hang are seen before those
    /// that went well are forgotten.
    /// </summary>
    public static readonly TimeSpan BreakerWindow = TimeSpan.FromSeconds(1);

    /// <summary>Calls within the window below which it stays closed: fewer shoppers than these a second wait for a timeout of <see cref="GateTimeout"/>.</summary>
    public const int BreakerCalls = 4;

    /// <summary>Where calls are few (a batch of orders, a step of a job twice a second), it looks back further: three calls that took <see cref="LedgerReadPatience"/> fit.</summary>
    public static readonly TimeSpan SlowBreakerWindow = TimeSpan.FromSeconds(10);
    public const int SlowBreakerCalls = 3;

    /// <summary>How long an answer of the ledger is waited for where something else can be said without it; half of <see cref="OrderDeadline"/>.</summary>
    public static readonly TimeSpan LedgerReadPatience = TimeSpan.FromSeconds(1);

    /// <summary>How long a payment waits for its commit; then its outcome is not known. As long as the MySQL driver waits for one statement.</summary>
    public static readonly TimeSpan LedgerWritePatience = TimeSpan.FromSeconds(5);

    /// <summary>What was not confirmed by the ledger for so long is not said as a fact: four steps of the job that reads the stock (invariant I9).</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(2);

    /// <summary>Offers that are settled with the gate side by side: one that hangs must not keep the others waiting.</summary>
    public const int SettleAtOnce = 32;

    // Work that one instance does for all.
    /// <summary>An instance that was not heard of for so long is taken for dead.</summary>
    public static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan LeaseRenewal = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan ReconciliationInterval = TimeSpan.FromSeconds(1);

    /// <summary>The change log is read from its start again after so long: what was right once may have been changed since.</summary>
    public static readonly TimeSpan ReconciliationFromStart = TimeSpan.FromMinutes(1);

    /// <summary>Rows of the change log that reconciliation checks at once.</summary>
    public const int ReconciliationPage = 2_000;

    // The gate in Redis.
    /// <summary>Slices of an offer's stock. More than masters in the cluster: so the load spreads evenly, and one that is added takes over whole shards.</summary>
    public const int GateShards = 8;
    public const int GateShardsMax = 64;

    /// <summary>How long an answer of Redis is waited for.</summary>
    public static readonly TimeSpan GateTimeout = TimeSpan.FromMilliseconds(500);
    public static readonly TimeSpan GateTimeoutMin = TimeSpan.FromMilliseconds(20);
    public static readonly TimeSpan GateTimeoutMax = OrderDeadline;

    /// <summary>Calls without an answer, at most: a third of a second at 50,000 calls/s. A server that hangs must not fill our memory.</summary>
    public const int GateCallsInFlight = 16 * 1024;

    /// <summary>Admissions of one offer and shard that wait for a call, at most: 32 batches, which a server that is well decides in 20 ms.</summary>
    public const int GateLaneQueue = 32 * GateLaneBatch;

    /// <summary>Admissions in one call, at most: about half a millisecond of Redis, during which it answers nobody else.</summary>
    public const int GateLaneBatch = 128;

    /// <summary>Calls of one lane under way: with one, all that comes meanwhile is in the next.</summary>
    public const int GateLaneCalls = 1;

    /// <summary>Users or orders in one call: about a millisecond of Redis, during which it answers nobody else.</summary>
    public const int GatePiece = 1_000;

    /// <summary>Orders whose unit came from another shard than the user's, remembered until they are settled; what is not remembered grows old there.</summary>
    public const int GateBorrowed = 64 * 1024;

    /// <summary>How long a full round in vain keeps an instance from asking all shards again.</summary>
    public static readonly TimeSpan GateNoneElsewhere = TimeSpan.FromMilliseconds(50);

    /// <summary>How long the keys of a sale outlive what the gate must remember, when nobody removes them.</summary>
    public static readonly TimeSpan GateKeysOutlive = TimeSpan.FromHours(1);

    // Ledger work besides orders.
    public const int LedgerJobQueue = 8 * 1024;
    public const int LedgerJobsPerTransaction = 256;
    public const int ExpiryBatch = 256;
    public static readonly TimeSpan ExpiryInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Users whose slots a lane of the MySQL ledger remembers, where an offer lets them have more than one: about 6 MB.</summary>
    public const int LedgerSlotsRemembered = 64 * 1024;
    public static readonly TimeSpan LedgerBusyTimeout = TimeSpan.FromSeconds(1);

    // Rate limits (docs/operations.md says why). All but the fixed ones can be set by an operator, from 1 to RateMax.
    public const int RateMax = 10_000_000;

    /// <summary>Twice what two cores answer. It is a brake for an operator's hand; the limit of requests in flight protects by itself.</summary>
    public const int TotalPermitsPerSecond = 100_000;
    public const int TotalBurst = 2 * TotalPermitsPerSecond;

    /// <summary>Carriers put thousands of people behind one address.</summary>
    public const int AddressRequestsPerSecond = 1_000;
    public const int AddressBurst = 4_000;
    public const int AddressesTracked = 65_536;

    /// <summary>A page polls every two seconds and a person presses a few times a second: ten open tabs fit twice.</summary>
    public const int UserRequestsPerSecond = 50;
    public const int UserBurst = 200;
    public const int UsersTracked = 262_144;

    /// <summary>How long Redis is waited for where users' limits are shared: then this instance counts by itself, which is better than to wait.</summary>
    public static readonly TimeSpan UserLimitTimeout = TimeSpan.FromMilliseconds(100);

    /// <summary>A hundred thousand people within two seconds.</summary>
    public const int SaleRequestsPerSecond = 50_000;
    public const int SaleBurst = 2 * SaleRequestsPerSecond;

    /// <summary>Sales that are counted by themselves: 12 at once, and those of some days.</summary>
    public const int SalesTracked = 256;

    /// <summary>How often an instance reports itself, and the live board reads: what is shown is at most twice this old, and what the two take.</summary>
    public static readonly TimeSpan InstanceReportInterval = TimeSpan.FromMilliseconds(400);

    /// <summary>An instance that has not reported for so long is shown as gone.</summary>
    public static readonly TimeSpan InstanceGone = TimeSpan.FromSeconds(3);

    /// <summary>As long as the report of a sale can be asked for in full.</summary>
    public static readonly TimeSpan InstanceReportsKept = TimeSpan.FromDays(90);

    /// <summary>Instances that are added up: those of a sale, and those that they replaced.</summary>
    public const int InstanceReportsRead = 256;

    /// <summary>Browsers that follow live boards of one instance.</summary>
    public const int LiveViewers = 64;

    /// <summary>Moments of the live board that are kept of each sale, one a second: half an hour.</summary>
    public const int LiveMomentsKept = 1_800;

    // Load shedding (design section 9).
    /// <summary>Four times what a commit of a full batch takes, and a fifth of what a person notices as waiting.</summary>
    public const int TargetLatencyMs = 200;
    public const int TargetLatencyMinMs = 5;
    public const int TargetLatencyMaxMs = 2_000;

    /// <summary>A batch of the ledger writer: below it, batches would shrink and the writer with them.</summary>
    public const int InFlightMin = BatchMax;

    /// <summary>Half of what waits in a full writer's queue.</summary>
    public const int InFlightMax = WriterQueue / 2;

    /// <summary>No more can be connected.</summary>
    public const int InFlightMaxMost = Connections;

    /// <summary>A quarter of the order's deadline: what is let in is answered well before it.</summary>
    public const int WriterWaitMs = 500;
    public const int WriterWaitMaxMs = 2_000;

    /// <summary>How often the number of requests in flight is adapted.</summary>
    public static readonly TimeSpan SheddingInterval = TimeSpan.FromMilliseconds(100);

    // The gateway asks each instance for what it may answer itself.
    /// <summary>How old an answer of the edge from memory may be.</summary>
    public static readonly TimeSpan EdgeStateInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>An order that came in time is with the ledger, or refused, so long after the end.</summary>
    public static readonly TimeSpan SaleEndedSettles = OrderDeadline + UnknownOutcomeDeadline + TimeSpan.FromSeconds(1);

    /// <summary>Orders of one offer whose ids are kept to tell that a token has no order: 1 MB an offer. Of larger offers only the gate knows.</summary>
    public const int OrdersKnown = 16 * 1024;

    /// <summary>An offer with more changes than these orders bring, three each and then some, is not read at all.</summary>
    public const int ChangesKnown = 4 * OrdersKnown;

    // The published site.
    /// <summary>How often each instance asks for changes of the site, and the publisher for those of the sales: a sale's change is on its page within a second.</summary>
    public static readonly TimeSpan SiteInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>What could not be made is tried again after this time, or when something has changed.</summary>
    public static readonly TimeSpan SiteRetry = TimeSpan.FromSeconds(5);

    /// <summary>Pages that lag behind their sales for so long are no longer on their way: readiness says so.</summary>
    public static readonly TimeSpan SiteBehindMax = TimeSpan.FromSeconds(5);

    /// <summary>Between two questions for a file that is not here, whoever asks for whatever names.</summary>
    public static readonly TimeSpan SiteCatchUpInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>What is shown, and four to roll back to; the assets of all of them stay served, for pages that browsers still have.</summary>
    public const int SiteVersionsKept = 5;

    /// <summary>Two languages of some hundred pages, and their assets.</summary>
    public const int SiteFiles = 2_000;

    /// <summary>Thirty times what a page weighs.</summary>
    public const int SiteFileBytes = 512 * 1024;

    /// <summary>Of one version: 500 sales with pages of 30 KB. It is written in one transaction, during which the embedded ledger writes no orders.</summary>
    public const int SiteBytes = 64 * 1024 * 1024;

    /// <summary>A checkout page in the longest: language, slug and offer fit twice.</summary>
    public const int SitePathLength = 200;
    public const int SiteFingerprintLength = 128;

    // Telemetry (docs/metrics.md).
    /// <summary>Sales, and offers of them, with figures of their own in the metrics: the next that are not over. Five days of the largest plan, twelve at once.</summary>
    public const int SalesObserved = 64;
    public const int OffersObserved = 256;

    /// <summary>What the last one knew of the gate is no longer said so long after it was seen.</summary>
    public static readonly TimeSpan GateSeenFor = TimeSpan.FromSeconds(10);

    /// <summary>Requests that are traced by one instance, whatever the ratio is and whatever callers ask for.</summary>
    public const int TracesPerSecond = 100;

    /// <summary>Of one batch of the ledger writer, to the orders in it.</summary>
    public const int TraceLinks = 32;
    /// <summary>Orders a second whose stages are all in the histograms that are pushed; of more only one in sixteen.</summary>
    public const int OrdersPushedPerSecond = 200;
    public static readonly TimeSpan OtlpInterval = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan OtlpTimeout = TimeSpan.FromSeconds(3);

    // Sessions.
    public const int SessionsCached = 131_072;

    /// <summary>A coupon code: 11 random characters (55 bits) and a check character, in groups of four.</summary>
    public const int CouponCodeLength = 12;
}
