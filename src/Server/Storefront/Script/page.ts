// What the page says of itself, and the few places where the script writes.
import { label } from "./button.ts";
import all from "./texts.json";

export interface SaleData {
  id: string;
  slug: string;
  opensAt: number;
  reservationOpensAt?: number;
  reservationClosesAt?: number;
  requiresReservation: boolean;
  offers: { id: string; perUserLimit: number }[];
}

interface PageData {
  prefix: string;
  sale?: SaleData;
  offerId?: string;
  orderId?: string;
  status?: string;
  payBefore?: number;
}

export const language: "zh" | "en" = document.documentElement.lang === "en" ? "en" : "zh";
export const texts = all[language];
export const kind = document.body.dataset["page"] ?? "other";
export const data = JSON.parse(document.body.dataset["json"] ?? "{}") as PageData;
export const link = (path: string): string => data.prefix + path;

export const one = <T extends HTMLElement = HTMLElement>(selector: string): T | null => document.querySelector<T>(selector);
export const many = <T extends HTMLElement = HTMLElement>(selector: string): T[] => [...document.querySelectorAll<T>(selector)];

/** Writes only what is another text: readers of a live region hear each once. */
export function write(element: Element | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}

export const note = (text: string): void => write(one("[data-note]"), text);
export const noted = (): string => one("[data-note]")?.textContent ?? "";
export const announce = (text: string): void => write(one("[data-announce]"), text);

export const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** What this tab keeps, also when it is loaded again. A browser may forbid it: then a reload begins anew. */
export function store(key: string, value: unknown): void {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Forbidden.
  }
}

export function read<T>(key: string): T | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") as T | null;
  } catch {
    return null;
  }
}

/** Up to `share` more, so that those who were told the same do not come back together. */
export const jitter = (ms: number, share = 0.5): number => ms * (1 + Math.random() * share);

/** Leaves the server alone after a refusal: as long as it said, and longer each time in a row. */
export class Patience {
  private refusals = 0;
  private until = 0;

  note(answer: { ok: true } | { ok: false; retryMs: number }): void {
    this.refusals = answer.ok ? 0 : Math.min(this.refusals + 1, 4);
    this.until = answer.ok ? 0 : performance.now() + jitter(answer.retryMs * this.refusals);
  }

  get left(): number {
    return Math.max(0, this.until - performance.now());
  }
}

/** "2 min 5 s"; rounded up, so that 0 is the moment itself. */
export function span(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const parts = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60].map((n, i) => (n > 0 ? `${n} ${texts.units[i]}` : ""));
  return parts.filter(Boolean).join(" ") || `0 ${texts.units[3]}`;
}

/** Who is signed in, in the head of a page that is the same for all. */
export function showUser(user: string | null): void {
  const link = one("[data-sign-in]");
  const form = one("[data-user] form");
  if (!link || !form) return;
  write(link, texts.account);
  write(one("[data-user-name]"), user ?? "");
  link.hidden = user !== null;
  form.hidden = user === null;
}

/** Nothing is left, but what others hold may come back: that is not sold out yet. */
export const isHeld = (phase: string, offers: { holds?: boolean | null }[]): boolean => phase === "sold_out" && offers.some((offer) => offer.holds !== false);

export function showPhase(chip: HTMLElement | null, phase: string, held: boolean): void {
  if (!chip) return;
  chip.className = `chip chip-${phase}`;
  write(chip, held ? label("maybe", language) : texts.phases[phase as keyof typeof texts.phases] ?? "");
}

export function showSold(id: string, percent: number): void {
  const bar = one<HTMLProgressElement>(`[data-sold="${CSS.escape(id)}"]`);
  const text = one(`[data-sold-text="${CSS.escape(id)}"]`);
  if (bar) bar.value = percent;
  if (text?.dataset["text"]) write(text, text.dataset["text"].replace("{n}", String(percent)));
}

export function element<T extends keyof HTMLElementTagNameMap>(tag: T, text: string): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** Does a step again and again, each time after the milliseconds that it gives; not in a hidden tab, and at once when it is shown again. */
export function repeat(step: () => Promise<number>): { soon(ms: number): void } {
  let timer = 0;
  let due = 0;
  let running = false;
  const soon = (ms: number) => {
    clearTimeout(timer);
    due = performance.now() + ms;
    timer = setTimeout(run, ms);
  };
  const run = async () => {
    if (running || document.hidden) return;
    running = true;
    const next = await step();
    running = false;
    soon(next * (0.9 + Math.random() * 0.2));
  };
  document.addEventListener("visibilitychange", () => !document.hidden && soon(Math.max(0, Math.min(due - performance.now(), Math.random() * 300))));
  addEventListener("online", () => soon(Math.random() * 1_000));
  return { soon };
}
