// The list: phases and what is taken, of all sales in one document.
import { get, type Schemas } from "./api.ts";
import { jitter, many, one, repeat, showPhase, showSold, showUser } from "./page.ts";

const POLL_MS = 9_000;

export function showList(): void {
  const polling = repeat(async () => Math.max(POLL_MS, await show()));
  void start().then(() => polling.soon(POLL_MS));
}

async function start(): Promise<void> {
  const first = one("[data-card]")?.dataset["card"];
  await Promise.all([show(), first ? showMe(first) : undefined]);
}

/** Who is signed in is the same whatever the sale is. */
async function showMe(sale: string): Promise<void> {
  const answer = await get<"MeDocument">(`/api/v1/sales/${sale}/me`);
  if (answer.ok) showUser(answer.body.userId ?? null);
}

/** How long to leave the server alone: it says so when it refuses. */
async function show(): Promise<number> {
  const answer = await get<"PageOfSaleDocument">("/api/v1/sales");
  if (!answer.ok) return jitter(answer.retryMs);
  const sales = new Map(answer.body.items.map((sale) => [sale.id, sale]));
  for (const card of many("[data-card]")) {
    const sale = sales.get(card.dataset["card"]!);
    // What is over since long is in no list any more.
    card.hidden = sale === undefined;
    if (!sale) continue;
    showPhase(card.querySelector("[data-phase]"), sale.phase);
    showSold(sale.id, soldPercent(sale));
  }
  return 0;
}

/** Of all offers together, rounded down: 100 only when everything is gone. */
function soldPercent(sale: Schemas["SaleDocument"]): number {
  const units = sale.offers.reduce((sum, offer) => sum + offer.stock, 0);
  return Math.floor(sale.offers.reduce((sum, offer) => sum + offer.soldPercent * offer.stock, 0) / units);
}
