// The list: phases and what is taken, of all sales in one document.
import { get, type Schemas } from "./api.ts";
import { isHeld, many, one, Patience, repeat, showPhase, showSold, showUser } from "./page.ts";

const POLL_MS = 9_000;

const patience = new Patience();

export function showList(): void {
  const polling = repeat(async () => {
    await show();
    return nextPoll();
  });
  const first = one("[data-card]")?.dataset["card"];
  void Promise.all([show(), first ? showMe(first) : undefined]).then(() => polling.soon(nextPoll()));
}

/** Never sooner than a refusal said. */
const nextPoll = (): number => Math.max(POLL_MS, patience.left);

/** Who is signed in is the same whatever the sale is. */
async function showMe(sale: string): Promise<void> {
  const answer = await get<"MeDocument">(`/api/v1/sales/${sale}/me`);
  if (answer.ok) showUser(answer.body.userId ?? null);
}

async function show(): Promise<void> {
  if (patience.left > 0) return;
  const answer = await get<"PageOfSaleDocument">("/api/v1/sales");
  patience.note(answer);
  if (!answer.ok) return;
  const sales = new Map(answer.body.items.map((sale) => [sale.id, sale]));
  for (const card of many("[data-card]")) {
    const sale = sales.get(card.dataset["card"]!);
    // What is over since long is in no list any more.
    card.hidden = sale === undefined;
    if (!sale) continue;
    showPhase(card.querySelector("[data-phase]"), sale.phase, isHeld(sale.phase, sale.offers));
    showSold(sale.id, soldPercent(sale));
  }
}

/** Of all offers together, rounded down: 100 only when everything is gone. */
function soldPercent(sale: Schemas["SaleDocument"]): number {
  const units = sale.offers.reduce((sum, offer) => sum + offer.stock, 0);
  return Math.floor(sale.offers.reduce((sum, offer) => sum + offer.soldPercent * offer.stock, 0) / units);
}
