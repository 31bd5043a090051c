// The page of an order: its time to pay runs by the server's clock, and the page comes again when it is up.
import * as clock from "./clock.ts";
import { countDown } from "./countdown.ts";
import { announce, data, jitter, one, texts } from "./page.ts";

const WARN_MS = 60_000;
/** An order ends up to some seconds after its time, each a little later than another. */
const LOOK_AGAIN_MS = 2_500;

export async function showOrder(): Promise<void> {
  if (data.status !== "held" || !data.payBefore) return;
  for (let i = 0; i < 3; i++) await clock.sample();
  countDown(false);
  const payBefore = data.payBefore;
  const warn = () => {
    const warning = one("[data-warn]");
    if (warning?.hidden) announce(texts.payMinute);
    if (warning) warning.hidden = false;
  };
  const now = clock.now();
  if (Number.isNaN(now)) return;
  setTimeout(warn, Math.max(0, payBefore - WARN_MS - now));
  setTimeout(() => location.reload(), Math.max(jitter(LOOK_AGAIN_MS, 0.4), payBefore - now + jitter(600, 1)));
}
