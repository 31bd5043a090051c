// The page of an order: its time to pay runs by the server's clock, and the page comes again when it is up.
import * as clock from "./clock.ts";
import { comeAgain, runCountdown } from "./live.ts";
import { announce, data, jitter, link, one, texts } from "./page.ts";

/** An order ends up to some seconds after its time, each a little later than another. */
const LOOK_AGAIN_MS = 2_500;
const LOOK_SELDOM_MS = 300_000;

export async function showOrder(): Promise<void> {
  if (data.status !== "held" || !data.payBefore) return;
  for (let i = 0; i < 3; i++) await clock.sample();
  runCountdown();
  const now = clock.now();
  if (Number.isNaN(now)) return;
  const warning = one("[data-warn]");
  const warn = () => {
    if (warning?.hidden) announce(texts.payMinute);
    if (warning) warning.hidden = false;
  };
  setTimeout(warn, Math.max(0, Number(warning?.dataset["warn"]) - now));
  // The longer it has been due, the more seldom it is looked for.
  const late = now - data.payBefore;
  const again = late < 0 ? jitter(600, 1) - late : jitter(Math.min(LOOK_SELDOM_MS, Math.max(LOOK_AGAIN_MS, late / 2)), 0.4);
  comeAgain(link("/orders/" + data.orderId), again);
}
