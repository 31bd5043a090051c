// The checkout: the token comes when the page is opened, before the click; one click is one token, which is asked with until there is a final answer.
import { call, get, type Answer, type Schemas } from "./api.ts";
import { label, type State } from "./button.ts";
import { solve, type Solution } from "./challenge.ts";
import * as clock from "./clock.ts";
import { announce, data, element, jitter, language, link, note, one, Patience, read, store, texts, wait } from "./page.ts";
import { SaleView } from "./sale.ts";

/** The server asks for a second; a tenth more, for what the clocks differ by. */
const READY_AFTER_MS = 1_100;
const TOKENS_BEFORE_MS = 600_000;
const RENEW_BEFORE_MS = 30_000;
/** A token that was refused for good is asked for again all the same, in case something changed; ever more seldom. */
const REFUSED_MS = 4_000;
/** Where an order in line should be: later, the click itself is sent again. */
const QUEUE_ATTEMPTS = 30;
const CONTACT = "fs-contact";
const FIELDS = ["name", "phone", "city"] as const;

/** What a tab keeps, so that a reload or the back button goes on with the same token. */
interface Held {
  token: string;
  user: string;
  readyAt: number;
  expiresAt: number;
  /** The click has been made, and its outcome is not known yet. */
  sent: boolean;
}

type OrderAnswer = Answer<Schemas["OrderDocument"]>;

class Checkout {
  private readonly view = new SaleView();
  private readonly offer = data.offerId!;
  private readonly form = one<HTMLFormElement>("#checkout")!;
  private readonly box = one("[data-result]")!;
  private readonly key = `fs-token-${this.offer}`;
  private held: Held | null = null;
  private won: Schemas["MyOrderDocument"] | null = null;
  /** When it was known to be there, by performance.now(). */
  private wonAt = 0;
  /** An earlier request with this token may have made the order. */
  private unknown = false;
  private asking = false;
  private readonly patience = new Patience();
  private readyTimer = 0;

  async start(): Promise<void> {
    const { view } = this;
    view.isReady = () => this.held !== null && clock.now() >= this.held.readyAt;
    // Whoever may have another order of this offer came here for that.
    view.orderOf = (offer) => this.won ?? (this.mayHaveAnother() ? undefined : view.liveOrder(offer));
    view.onChange = () => void this.follow();
    view.press = (state) => this.press(state);
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.keepContact();
    // One less than on the page of the sale: its token is a request too.
    await view.start(1);
  }

  private press(state: State): void {
    const order = this.view.orderOf(this.offer);
    if (state === "sign_in") void this.view.signIn();
    else if (state === "reserve") void this.view.reserve();
    else if (order && (state === "won" || state === "already")) location.assign(link("/orders/" + order.id));
    else if (state === "grab" || state === "maybe") void this.submit();
  }

  private mayHaveAnother(): boolean {
    const limit = this.view.sale.offers.find((offer) => offer.id === this.offer)?.perUserLimit ?? 1;
    return this.view.liveOrders(this.offer).length < limit;
  }

  /** Nobody is asked for a token who would not get one. */
  private wantsToken(now: number): boolean {
    const { me, sale, state } = this.view;
    return state!.phase !== "ended"
      && !me!.barred
      && (!sale.requiresReservation || me!.reservation === "approved")
      && this.mayHaveAnother()
      && now >= this.view.opensAt() - TOKENS_BEFORE_MS;
  }

  /** What became of the order meanwhile, in another tab or by itself. */
  private followWon(): void {
    if (!this.won || this.view.meAsked < this.wonAt) return;
    this.won = this.view.liveOrders(this.offer).find((order) => order.id === this.won!.id) ?? null;
    if (!this.won) this.result("", "");
  }

  /** Whenever something is known anew: is a token wanted, and is there one that was sent and not answered? */
  private async follow(): Promise<void> {
    const user = this.view.me?.userId;
    const now = clock.now();
    this.followWon();
    if (!user || Number.isNaN(now) || !this.view.state || this.won || this.view.step !== "idle") return;
    if (!this.held) this.restore(user, now);
    if (this.held?.sent) await (this.held.expiresAt > now ? this.submit() : this.giveUp());
    else if (this.wantsToken(now) && this.patience.left === 0 && (!this.held || now > this.held.expiresAt - RENEW_BEFORE_MS)) await this.ask(user);
  }

  private restore(user: string, now: number): void {
    const kept = read<Held>(this.key);
    if (kept?.user !== user || (kept.expiresAt <= now && !kept.sent)) return;
    this.held = kept;
    this.wake(kept, now);
  }

  private keep(held: Held | null): void {
    this.held = held;
    store(this.key, held);
  }

  private wake(held: Held, now: number): void {
    clearTimeout(this.readyTimer);
    this.readyTimer = setTimeout(() => this.view.render(), Math.max(0, held.readyAt - now) + 5);
  }

  private async ask(user: string): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    let solution: Solution | undefined;
    for (let attempt = 1; this.view.step === "idle"; attempt++) {
      const answer = await call<"OrderTokenDocument">("POST", `/api/v1/offers/${this.offer}/order-tokens`, { visit: this.view.me?.visit ?? undefined, solution });
      if (answer.ok) {
        this.patience.note(answer);
        // A click that was made meanwhile goes on with its own token.
        if (this.view.step !== "idle" || this.held?.sent) break;
        const now = clock.now();
        const held = { token: answer.body.token, user, readyAt: now + READY_AFTER_MS, expiresAt: Date.parse(answer.body.expiresAt), sent: false };
        this.keep(held);
        this.wake(held, now);
        break;
      }
      if (answer.code === "challenge-required" && answer.problem.challenge) {
        if (solution?.answer) await wait(answer.retryMs);
        solution = await solve(answer.problem.challenge);
        continue;
      }
      if (await this.isFinal(answer)) {
        this.patience.note({ ok: false, retryMs: REFUSED_MS });
        break;
      }
      note(answer.status === 429 ? texts.tooMany : navigator.onLine && attempt > 1 ? texts.cannotCheckout : "");
      await wait(jitter(Math.max(answer.retryMs, Math.min(8_000, 500 * 2 ** attempt))));
      note("");
    }
    this.asking = false;
    this.view.render();
  }

  /** Whether there is no use in asking for a token again; the button says why. */
  private async isFinal(answer: OrderAnswer | Answer<Schemas["OrderTokenDocument"]>): Promise<boolean> {
    if (answer.ok) return false;
    const { view } = this;
    switch (answer.code) {
      case "not-eligible":
        view.me = { ...view.me!, barred: true };
        return true;
      case "not-reserved":
        view.me = { ...view.me!, reservation: null };
        return true;
      case "sale-ended":
      case "sale-not-open":
        // The next state says so too, or the opening was moved: it is asked again when something is known anew.
        await wait(jitter(1_000));
        await view.readState();
        return true;
      case "unauthenticated":
        await view.readMe();
        return true;
      default:
        return answer.status !== 429 && answer.status < 500 && answer.code !== "lost";
    }
  }

  private async submit(): Promise<void> {
    const { view } = this;
    if (view.step !== "idle" || !this.held) return;
    note("");
    this.unknown = this.held.sent;
    for (let attempt = 1; this.held !== null; attempt++) {
      this.step("sending");
      this.keep({ ...this.held, sent: true });
      const answer = await call<"OrderDocument">("POST", "/api/v1/orders", { token: this.held.token });
      if (answer.ok && answer.status === 202 && answer.location) {
        if (await this.queue(answer.location)) break;
      } else if (await this.settle(answer, attempt)) {
        break;
      }
    }
    this.step("idle");
  }

  /** In line: where the order will be is asked until it is there. True when that is final. */
  private async queue(location: string): Promise<boolean> {
    this.step("queued");
    let told = 0;
    for (let attempt = 1; ; attempt++) {
      await wait(jitter(Math.max(told, Math.min(3_000, 500 + 250 * attempt)), 1));
      await this.online();
      const answer = await get<"OrderDocument">(location);
      if (answer.ok) return this.settle(answer, attempt);
      const isWaiting = answer.status === 404 || answer.status === 429 || answer.status >= 500 || answer.code === "lost";
      if (!isWaiting) return this.settle(answer, attempt);
      if (attempt >= QUEUE_ATTEMPTS) return this.confirm(answer.retryMs, attempt);
      told = answer.status === 404 ? 0 : answer.retryMs;
    }
  }

  /** True when there is nothing more to be asked with this click. */
  private async settle(answer: OrderAnswer, attempt: number): Promise<boolean> {
    const { view } = this;
    if (answer.ok) return this.take(answer.body);
    switch (answer.code) {
      case "rate-limited":
      case "overloaded":
      case "ledger-unavailable":
        note("");
        await this.busy(answer.retryMs);
        return false;
      case "lost":
      case "outcome-unknown":
      case "internal-error":
        return this.confirm(answer.retryMs, attempt);
    }
    // A final answer, without an order: the same token may be tried again by another click.
    this.keep({ ...this.held!, sent: false });
    note("");
    switch (answer.code) {
      case "unauthenticated":
        this.keep({ ...this.held!, sent: this.unknown });
        // Nothing is sent again until somebody is signed in.
        view.me = { ...view.me!, userId: null };
        await view.signIn();
        break;
      case "order-token-rejected":
        if (this.unknown) return this.giveUp();
        this.keep(null);
        note(texts.newToken);
        break;
      case "sale-paused":
        view.notePaused();
        break;
      case "sale-not-open":
        note(texts.notOpen);
        await clock.sample();
        await view.readState();
        break;
      case "sold-out":
        await view.readState();
        this.soldOut();
        break;
      case "purchase-limit-reached":
        await view.readMe();
        this.result(texts.limitTitle, texts.limitText);
        break;
      case "sale-ended":
      case "not-reserved":
      case "not-eligible":
        await this.isFinal(answer);
        await view.readState();
        this.result(label(answer.code === "sale-ended" ? "ended" : answer.code === "not-reserved" ? "reservation_closed" : "not_eligible", language), texts.nothingWritten);
        break;
      default:
        await view.readState();
        this.result(texts.refusedTitle, texts.refusedText);
    }
    return true;
  }

  private soldOut(): void {
    const offer = this.view.state?.offers.find((candidate) => candidate.id === this.offer);
    if (offer?.soldOut && offer.holds === false) {
      this.result(label("sold_out", language), texts.soldOutText);
      announce(label("sold_out", language));
    } else {
      note(texts.missed);
    }
  }

  private async take(order: Schemas["OrderDocument"]): Promise<true> {
    this.keep(null);
    note("");
    if (order.status !== "held" && order.status !== "paid") {
      // The token's order was there, and has ended since: the next token makes another.
      note(texts.orderEnded);
      await this.view.readMe();
      return true;
    }
    this.won = { id: order.id, offerId: order.offerId, status: order.status, payBefore: order.payBefore };
    this.wonAt = performance.now();
    this.step("idle");
    this.result(texts.wonTitle, texts.wonText);
    announce(texts.wonTitle);
    const contact = this.contact();
    // Whoever pays at once does not wait for it; what was not taken stands in the form of the order.
    if (contact && (await call("PUT", `/api/v1/orders/${order.id}/contact`, contact)).ok) store(CONTACT, null);
    return true;
  }

  /** The token has run out, and what became of its click is not known: whoever is asked again knows the order, if there is one. */
  private async giveUp(): Promise<true> {
    this.keep(null);
    note("");
    await this.view.readMe();
    if (this.mayHaveAnother()) this.result(texts.confirming, texts.confirmingLong, "/orders");
    return true;
  }

  /** Nobody knows what became of the click: the same token is asked again, ever more slowly, as long as it lives. */
  private async confirm(retryMs: number, attempt: number): Promise<boolean> {
    this.unknown = true;
    note(texts.confirming);
    if (this.held!.expiresAt < clock.now()) return this.giveUp();
    await wait(jitter(Math.min(10_000, Math.max(retryMs, 300) * 1.5 ** Math.min(attempt, 12))));
    await this.online();
    return false;
  }

  private async busy(ms: number): Promise<void> {
    await this.view.busy(ms);
    await this.online();
  }

  private online(): Promise<void> {
    return navigator.onLine ? Promise.resolve() : new Promise((done) => addEventListener("online", () => done(), { once: true }));
  }

  /** What is under way stands, from the click on, in the room that the answer takes: what is below does not move when that comes. */
  private step(step: "idle" | "sending" | "queued"): void {
    this.view.step = step;
    if (step !== "idle") {
      this.box.classList.add("room");
      this.box.ariaBusy = "true";
      this.box.replaceChildren(element("h2", label(step === "queued" ? "queued" : "submitting", language)));
    } else if (this.box.ariaBusy === "true") {
      this.result("", "");
    }
    this.view.render();
  }

  private result(title: string, text: string, to?: string): void {
    const { box } = this;
    box.ariaBusy = "false";
    box.replaceChildren();
    if (!title) return;
    box.append(element("h2", title), element("p", text));
    if (to) {
      const anchor = element("a", texts.myOrders);
      anchor.href = link(to);
      box.append(anchor);
    }
    box.focus();
  }

  // ---- whom the dealer expects ----

  private keepContact(): void {
    const kept = read<Record<string, string>>(CONTACT) ?? {};
    for (const name of FIELDS) {
      const field = this.form.elements.namedItem(name);
      if (field instanceof HTMLInputElement && !field.value) field.value = kept[name] ?? "";
    }
    this.form.addEventListener("input", () => store(CONTACT, this.fields()));
  }

  private fields(): Record<string, string> {
    return Object.fromEntries(FIELDS.map((name) => {
      const field = this.form.elements.namedItem(name);
      return [name, field instanceof HTMLInputElement ? field.value.trim() : ""];
    }));
  }

  /** Null when it is not whole: the page of the order asks for it then. */
  private contact(): Record<string, string> | null {
    const { name, phone, city } = this.fields();
    return name && city && phone && /^[0-9+\- ]{5,20}$/.test(phone) ? { name, phone, city } : null;
  }
}

export const showCheckout = (): Promise<void> => new Checkout().start();
