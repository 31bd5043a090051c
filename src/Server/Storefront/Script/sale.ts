// A sale as its page shows it: its state, the shopper in it, and the buttons that follow from both.
import { call, get, type Schemas } from "./api.ts";
import { decide, isEnabled, label, type Facts, type State } from "./button.ts";
import { solve, type Solution } from "./challenge.ts";
import * as clock from "./clock.ts";
import { countDown } from "./countdown.ts";
import { announce, data, isHeld, jitter, language, link, many, note, noted, one, Patience, repeat, showPhase, showSold, showUser, texts, wait, write, type SaleData } from "./page.ts";

const BEFORE = ["scheduled", "reserving", "armed"];
/** How often a page asks whether the sale is open, once it should be. */
const OPENING_POLL_MS = 500;
const OPENING_SPREAD_MS = 200;
const PENDING_POLL_MS = 4_000;
const LAST_MINUTE_MS = 60_000;
/** When the clock is looked at again before the opening. */
const SAMPLED_BEFORE_MS = [60_000, 10_000];
/** Notes that say what a state means, and go with it. */
const PASSING = [texts.pending, texts.maybeText, texts.missed];
const MAY_BE_TRIED = ["grab", "maybe"];

export class SaleView {
  readonly sale: SaleData = data.sale!;
  readonly path = `/api/v1/sales/${this.sale.id}`;
  state: Schemas["SaleStateDocument"] | null = null;
  me: Schemas["MeDocument"] | null = null;
  step: Facts["step"] = "idle";
  busySeconds = 0;

  /** What the checkout adds: whether its token can be used, and which orders count. */
  isReady: () => boolean = () => true;
  orderOf: (offer: string) => Schemas["MyOrderDocument"] | undefined = (offer) => this.liveOrder(offer);
  onChange: () => void = () => {};
  press: (state: State, offer: string) => void = () => {};

  private readonly polling = repeat(() => this.poll());
  private readonly sampled = new Set<number>();
  private was: string | null = null;
  private meaning = "";
  private readonly statePatience = new Patience();
  private readonly mePatience = new Patience();
  /** When the request began whose answer `me` is, by performance.now(). */
  meAsked = 0;

  /**
   * Loads what the page does not have, and keeps it fresh.
   * @param samples of the clock, besides the one that comes with `me`
   */
  async start(samples: number): Promise<void> {
    for (const button of this.buttons()) button.addEventListener("click", () => this.press(button.dataset["mainButton"] as State, button.dataset["offer"]!));
    for (const event of ["online", "offline"]) addEventListener(event, () => this.render());
    // Back from the history cache: what was seen then is over.
    addEventListener("pageshow", (event) => event.persisted && this.refresh());
    document.addEventListener("visibilitychange", () => !document.hidden && (clock.slept() ? this.refresh() : this.state && this.readMe()));
    await Promise.all([this.readMe(), this.readState()]);
    for (let i = 0; i < samples; i++) await clock.sample();
    this.countDown();
    this.render();
    this.polling.soon(this.nextPoll());
  }

  async refresh(): Promise<void> {
    await Promise.all([clock.sample(), this.readMe(), this.readState()]);
    this.countDown();
  }

  async readMe(): Promise<void> {
    if (this.mePatience.left > 0) return;
    const sent = performance.now();
    const answer = await get<"MeDocument">(this.path + "/me");
    this.mePatience.note(answer);
    if (answer.ok) {
      clock.note(answer.body.epochMs, sent, answer.at);
      this.me = answer.body;
      this.meAsked = sent;
      showUser(answer.body.userId ?? null);
    }
    this.render();
  }

  async readState(): Promise<void> {
    if (this.statePatience.left > 0) return;
    const answer = await get<"SaleStateDocument">(this.path + "/state");
    this.statePatience.note(answer);
    if (answer.ok) this.show(answer.body);
    this.render();
  }

  /** An operator's pause is told by a refusal before the state says it. */
  notePaused(): void {
    if (this.state) this.show({ ...this.state, phase: "paused" });
    this.polling.soon(1_500);
  }

  render(): void {
    for (const button of this.buttons()) {
      const state = this.stateOf(button.dataset["offer"]!);
      if (button.dataset["mainButton"] !== state) button.dataset["mainButton"] = state;
      write(button, label(state, language, this.busySeconds));
      button.disabled = !isEnabled(state);
    }
    this.explain();
    this.onChange();
  }

  /** Says what the buttons mean where their words are not enough, and takes back what is not so any more. */
  private explain(): void {
    const pending = this.sale.requiresReservation && this.me?.reservation === "pending" && this.state?.phase !== "ended";
    const states = this.buttons().map((button) => button.dataset["mainButton"]!);
    const meaning = pending ? texts.pending : states.includes("maybe") ? texts.maybeText : "";
    if (meaning && meaning !== this.meaning) note(meaning);
    else if (!meaning && this.meaning === texts.pending && this.me?.reservation === "approved") note(texts.reserved);
    else if (!meaning && PASSING.includes(noted()) && !(noted() === texts.missed && states.some((state) => MAY_BE_TRIED.includes(state)))) note("");
    this.meaning = meaning;
  }

  /** Whether somebody with an order of this offer may have one more, as things are. */
  mayTakeAnother(offer: string): boolean {
    const limit = this.sale.offers.find((candidate) => candidate.id === offer)?.perUserLimit ?? 1;
    const live = this.liveOrders(offer).length;
    return live > 0 && live < limit && decide({ ...this.factsOf(offer), order: "none" }) === "grab";
  }

  stateOf(offer: string): State {
    const facts = this.factsOf(offer);
    const state = decide(facts);
    return (state === "grab" || state === "maybe") && !this.isReady() ? decide({ ...facts, known: false }) : state;
  }

  async signIn(): Promise<void> {
    location.assign(link("/sign-in?return=" + encodeURIComponent(location.pathname.slice(data.prefix.length))));
  }

  async reserve(): Promise<void> {
    if (this.step !== "idle") return;
    this.step = "sending";
    this.render();
    let solution: Solution | undefined;
    let known = false;
    for (let attempt = 0; attempt < 8 && !known; attempt++) {
      known = true;
      const answer = await call<"ReservationDocument">("POST", this.path + "/reservations", { visit: this.me?.visit ?? undefined, solution });
      if (answer.ok) {
        this.me = { ...this.me!, reservation: answer.body.status };
        note(answer.body.status === "approved" ? texts.reserved : "");
      } else if (answer.code === "challenge-required" && answer.problem.challenge) {
        known = false;
        await wait(answer.problem.challenge && solution?.answer ? answer.retryMs : 0);
        solution = await solve(answer.problem.challenge);
      } else if (answer.status === 401) {
        return this.signIn();
      } else if (answer.code === "not-eligible") {
        this.me = { ...this.me!, reservation: "rejected" };
      } else if (answer.code === "reservations-not-open") {
        note(texts.reservationsOver);
      } else if (answer.code === "lost") {
        known = false;
        note(texts.confirming);
        await wait(jitter(answer.retryMs * (attempt + 1)));
      } else if (answer.status === 429 || answer.status === 503) {
        known = false;
        note("");
        await this.busy(answer.retryMs);
        this.step = "sending";
        this.render();
      } else {
        note(texts.reserveFailed);
      }
    }
    this.step = "idle";
    await this.readMe();
    if (!known) note(this.me?.reservation ? "" : texts.reserveFailed);
    await this.readState();
  }

  /** Counts down on the button until it is tried again. */
  async busy(ms: number): Promise<void> {
    const seconds = Math.ceil((jitter(ms) + Math.random() * 500) / 1_000);
    this.step = "busy";
    for (this.busySeconds = seconds; this.busySeconds > 0; this.busySeconds--) {
      this.render();
      await wait(1_000);
    }
  }

  opensAt(): number {
    // The state may tell it in whole seconds, rounded up; the page has it to the millisecond, unless it was moved since.
    const told = this.state ? Date.parse(this.state.opensAt) : this.sale.opensAt;
    return told - this.sale.opensAt >= 0 && told - this.sale.opensAt < 1_000 ? this.sale.opensAt : told;
  }

  liveOrders(offer: string): Schemas["MyOrderDocument"][] {
    return (this.me?.orders ?? []).filter((order) => order.offerId === offer && (order.status === "held" || order.status === "paid"));
  }

  liveOrder(offer: string): Schemas["MyOrderDocument"] | undefined {
    const live = this.liveOrders(offer);
    return live.find((order) => order.status === "held") ?? live[0];
  }

  private buttons(): HTMLButtonElement[] {
    return many<HTMLButtonElement>("button[data-main-button]");
  }

  private factsOf(offer: string): Facts {
    const now = clock.now();
    const stock = this.state?.offers.find((candidate) => candidate.id === offer);
    const { reservationOpensAt: from, reservationClosesAt: until } = this.sale;
    return {
      online: navigator.onLine,
      known: this.state !== null && this.me !== null && !Number.isNaN(now),
      step: this.step,
      order: (this.orderOf(offer)?.status ?? "none") as Facts["order"],
      phase: this.state?.phase ?? "scheduled",
      // Without fresh news of the holds nobody is told that all is over.
      stock: !stock?.soldOut ? "available" : stock.holds ?? true ? "held" : "none",
      signedIn: Boolean(this.me?.userId),
      barred: this.me?.barred === true,
      reservation: !this.sale.requiresReservation ? "not_needed" : this.me?.reservation ?? "none",
      reservations: from !== undefined && now < from ? "before" : until !== undefined && now < until ? "open" : "closed",
      lastMinute: this.opensAt() - now <= LAST_MINUTE_MS,
    };
  }

  private show(state: Schemas["SaleStateDocument"]): void {
    // A cache may be behind what was seen before.
    if (this.state && state.rev < this.state.rev) return;
    this.state = state;
    const held = isHeld(state.phase, state.offers);
    showPhase(one("[data-phase]"), state.phase, held);
    for (const offer of state.offers) showSold(offer.id, offer.soldPercent);
    // A sale may be paused before its opening.
    const opened = state.phase === "paused" ? clock.now() >= this.opensAt() : !BEFORE.includes(state.phase);
    const timer = one("[data-countdown]");
    if (timer) {
      timer.dataset["countdown"] = String(opened ? Date.parse(state.closesAt) : this.opensAt());
      // It may have been closed before its time.
      timer.parentElement!.classList.toggle("over", state.phase === "ended");
    }
    write(one("[data-countdown-label]"), opened ? texts.closesIn : texts.opensIn);
    const said = held ? "held" : state.phase;
    if (this.was !== null && this.was !== said && (said === "open" || said === "sold_out")) announce(texts.phases[said]);
    this.was = said;
  }

  /** Only an opening is said aloud before it comes, no closing. */
  private countDown(): void {
    countDown(BEFORE.includes(this.state?.phase ?? "scheduled"));
  }

  private async poll(): Promise<number> {
    await this.readState();
    if (this.me === null || this.mayHaveChanged(this.me)) await this.readMe();
    await this.sampleNearOpening();
    this.countDown();
    return this.nextPoll();
  }

  /** What happens to a shopper without a click: a reservation is decided, an order runs out. */
  private mayHaveChanged(me: Schemas["MeDocument"]): boolean {
    const pending = this.sale.requiresReservation && me.reservation === "pending" && this.state?.phase !== "ended";
    return pending || (me.orders ?? []).some((order) => order.status === "held" && order.payBefore && Date.parse(order.payBefore) < clock.now());
  }

  private async sampleNearOpening(): Promise<void> {
    const left = this.opensAt() - clock.now();
    for (const before of SAMPLED_BEFORE_MS) {
      if (left > 0 && left <= before && !this.sampled.has(before)) {
        // A page that was opened later than that has just taken its samples.
        for (const passed of SAMPLED_BEFORE_MS) if (left <= passed) this.sampled.add(passed);
        if (performance.now() > 5_000) await clock.sample();
      }
    }
  }

  /** Never sooner than a refusal said. */
  private nextPoll(): number {
    return Math.max(this.wantedPoll(), this.statePatience.left);
  }

  /** As the server says; sooner when something happens before that: the last minute, a sample of the clock, the opening. */
  private wantedPoll(): number {
    const wanted = this.state?.nextPollMs ?? 2_000;
    const now = clock.now();
    if (!this.state || Number.isNaN(now) || !BEFORE.includes(this.state.phase)) return this.me?.reservation === "pending" ? Math.min(wanted, PENDING_POLL_MS) : wanted;
    const left = this.opensAt() - now;
    if (left <= 0) return OPENING_POLL_MS;
    const moments = [left + Math.random() * OPENING_SPREAD_MS, ...SAMPLED_BEFORE_MS.map((before) => left - before)];
    const { reservationOpensAt: from, reservationClosesAt: until } = this.sale;
    for (const moment of [from, until]) if (moment !== undefined) moments.push(moment - now + 50);
    // The jitter of the polling may shorten what is left by a tenth: it is made up for.
    return Math.min(wanted, ...moments.filter((moment) => moment > 0).map((moment) => moment / 0.9));
  }
}

/** The page of a sale. */
export async function showSale(): Promise<void> {
  const view = new SaleView();
  view.press = (state, offer) => {
    const order = view.liveOrder(offer);
    if (state === "sign_in") void view.signIn();
    else if (state === "reserve") void view.reserve();
    else if (order && (state === "won" || state === "already")) location.assign(link("/orders/" + order.id));
    else if (state === "grab" || state === "maybe") location.assign(link(`/sales/${view.sale.slug}/checkout/${offer}`));
  };
  view.onChange = () => many("[data-another]").forEach((more) => (more.hidden = !view.mayTakeAnother(more.dataset["another"]!)));
  await view.start(2);
}
