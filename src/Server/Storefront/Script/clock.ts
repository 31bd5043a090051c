// The server's clock. Of all samples the one with the least round trip counts; time goes on by performance.now(), whatever the client's clock does.
import { get } from "./api.ts";

const STEP_SEEN_MS = 1_000;

let best: { trip: number; offset: number } | null = null;
let started = { wall: Date.now(), ticks: performance.now() };

/** Milliseconds since 1970 by the server; NaN while nothing is known. */
export const now = (): number => (best === null ? NaN : best.offset + performance.now());

/** An answer that told the server's time: it was `epochMs` about half way between sending and receiving. */
export function note(epochMs: number, sent: number, received: number): void {
  const trip = received - sent;
  if (best === null || trip < best.trip) best = { trip, offset: epochMs - (sent + received) / 2 };
}

export async function sample(): Promise<void> {
  const sent = performance.now();
  const answer = await get<"TimeDocument">("/api/v1/time");
  if (answer.ok) note(answer.body.epochMs, sent, answer.at);
}

/** performance.now() may stand still while a machine sleeps: then nothing of before counts. True when that was so. */
export function slept(): boolean {
  const here = { wall: Date.now(), ticks: performance.now() };
  const gone = Math.abs(here.wall - started.wall - (here.ticks - started.ticks)) > STEP_SEEN_MS;
  started = here;
  if (gone) best = null;
  return gone;
}
