// Counts down by the server's clock. The text changes at the full second, and no timer runs between two of them.
import * as clock from "./clock.ts";
import { announce, many, span, texts, write } from "./page.ts";

/** Moments before the opening that are said aloud: no others, or a screen reader would never be silent. */
const SPOKEN: [number, string][] = [
  [600_000, texts.tenMinutes],
  [60_000, texts.oneMinute],
  [10_000, texts.tenSeconds],
];

/** A timer may be late, but nothing is said that is not true any more. */
const SPOKEN_LATE_MS = 3_000;

let timer = 0;
/** What was left when the text was last written. */
let before = 0;

/** @param speak whether the end is an opening that the page's visitor waits for */
export function countDown(speak: boolean): void {
  clearTimeout(timer);
  const now = clock.now();
  let next = 1_000;
  for (const element of many("[data-countdown]")) {
    const left = Number(element.dataset["countdown"]) - now;
    if (Number.isNaN(left)) continue;
    write(element, span(left));
    // The text changes when what is left is a whole number of seconds.
    if (left > 0) next = Math.min(next, left % 1_000 || 1_000);
    if (speak) for (const [moment, text] of SPOKEN) if (left <= moment && moment < before && left > moment - SPOKEN_LATE_MS) announce(text);
    before = left;
  }
  timer = setTimeout(() => countDown(speak), next + 1);
}
