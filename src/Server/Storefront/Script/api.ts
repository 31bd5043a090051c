// Calls of the API. An answer that never came is a value too: only asking again tells what became of the request.
import type { components } from "./schemas.d.ts";

export type Schemas = components["schemas"];
export type Problem = Schemas["ProblemDocument"];

export type Answer<T> =
  | { ok: true; status: number; body: T; at: number; location: string | null }
  /** `code` is that of the problem; `lost` when nobody knows what became of it. */
  | { ok: false; status: number; code: string; problem: Partial<Problem>; retryMs: number };

/** Longer than the server takes at most for an order: 2 s, and 2 s more for the outcome of its commit. */
const TIMEOUT_MS = 6_000;

export async function call<K extends keyof Schemas>(method: string, path: string, body?: object): Promise<Answer<Schemas[K]>> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    // What is written is sent, even if its page is left meanwhile.
    const init: RequestInit = { method, signal: stop.signal, keepalive: method === "PUT", headers: { accept: "application/json" } };
    // What is asked for is as fresh as the server says it is; a cache on the way answers as long as it may.
    if (method === "GET") init.cache = "no-cache";
    if (body) {
      init.body = JSON.stringify(body);
      init.headers = { accept: "application/json", "content-type": "application/json" };
    }
    const response = await fetch(path, init);
    const at = performance.now();
    const json = await response.json().catch(() => null);
    if (response.ok && json !== null) return { ok: true, status: response.status, body: json, at, location: response.headers.get("location") };
    const seconds = Number(response.headers.get("retry-after") ?? "none");
    const told = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
    // What stands between us and the shop may refuse without a problem of ours, and says as well when to come again.
    if (response.ok || !json || typeof json.code !== "string") return lost(response.status, told);
    return { ok: false, status: response.status, code: json.code, problem: json, retryMs: json.retryAfterMs ?? told ?? 1_000 };
  } catch {
    return lost(0);
  } finally {
    clearTimeout(timer);
  }
}

export const get = <K extends keyof Schemas>(path: string) => call<K>("GET", path);

const lost = (status: number, retryMs = 500) => ({ ok: false as const, status, code: "lost", problem: {}, retryMs });
