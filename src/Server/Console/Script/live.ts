// The live board: what the server sends replaces what stands there; the charts get the figures of each second.
import uPlot from "uplot";

type Moment = {
  at: string;
  available: number;
  held: number;
  sold: number;
  gateStock?: number;
  ordersPerSecond?: number;
  paidPerSecond?: number;
  p50Ms?: number;
  p99Ms?: number;
  arrivalsPerSecond?: number;
  admittedPerSecond?: number;
  refused: Record<string, number>;
};

type Chart = { plot: uPlot; draw(moments: Moment[]): void };

/** As many as the server keeps. */
const momentsKept = 1800;

/** Without a word of the server for so long, the figures are old. */
const lateAfter = 2000;
const layers = ["edge", "checkout", "draw", "gate", "ledger"];
const height = 220;

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const values: Record<string, (moment: Moment) => (number | null)[]> = {
  units: (m) => [m.available, m.held, m.sold, m.gateStock ?? null],
  rates: (m) => [m.ordersPerSecond ?? null, m.paidPerSecond ?? null],
  latency: (m) => [m.p50Ms ?? null, m.p99Ms ?? null],
  // What is behind lies on what is before it.
  decisions: (m) => {
    let sum = 0;
    return [m.admittedPerSecond ?? 0, ...layers.map((layer) => m.refused[layer] ?? 0)].map((rate) => (sum += rate));
  },
};

let events: { at: number; action: string }[] = [];

/** A line for each thing that an operator did. */
function markers(plot: uPlot): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = color("--muted");
  ctx.setLineDash([4, 4]);
  for (const event of events) {
    const x = plot.valToPos(event.at, "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
  }
  ctx.restore();
}

function makeChart(at: HTMLElement): Chart | undefined {
  const kind = at.dataset["chart"] ?? "";
  const read = values[kind];
  if (!read) {
    return undefined;
  }
  const labels = (at.dataset["labels"] ?? "").split("|");
  const stacked = kind === "decisions";
  // Of a stack the highest sum is drawn first, and the lower ones over it.
  const order = stacked ? labels.map((_, i) => i).reverse() : labels.map((_, i) => i);
  const series = order.map((i): uPlot.Series => {
    const stroke = color(`--s${i + 1}`);
    // What a layer adds to those below it, which are the next series.
    const own = (plot: uPlot, value: number, at: number, moment: number | null): number => (stacked && moment !== null ? value - (plot.data[at + 1]?.[moment] ?? 0) : value);
    return {
      label: labels[i] ?? "",
      stroke,
      width: 1.5,
      ...(stacked ? { fill: stroke } : {}),
      value: (plot, value, at, moment) => (value === null ? "–" : String(Math.round(own(plot, value, at, moment) * 10) / 10)),
    };
  });
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
  // In Beijing, like every time of the console, wherever the browser is.
  const beijing = (ts: number): Date => uPlot.tzDate(new Date(ts * 1000), "Asia/Shanghai");
  const clock = (ts: number): string => beijing(ts).toTimeString().slice(0, 8);
  const time = { label: document.documentElement.lang === "en" ? "Time" : "时间", value: (_: uPlot, ts: number | null) => (ts === null ? "–" : clock(ts)) };
  const plot = new uPlot(
    { width: at.clientWidth, height, series: [time, ...series], axes: [{ ...axis, values: (_, splits) => splits.map(clock), space: 80 }, axis], tzDate: beijing, hooks: { draw: [markers] }, cursor: { drag: { x: true, y: false } } },
    [[], ...labels.map(() => [])],
    at,
  );
  new ResizeObserver(() => plot.setSize({ width: at.clientWidth, height })).observe(at);
  return {
    plot,
    draw(moments) {
      const rows = moments.map(read);
      plot.setData([moments.map((m) => Date.parse(m.at) / 1000), ...order.map((i) => rows.map((row) => row[i] ?? null))]);
    },
  };
}

function readEvents(): void {
  const text = document.querySelector<HTMLElement>("[data-events]")?.dataset["events"] ?? "";
  events = text.split(" ").filter(Boolean).map((one) => {
    const [at, action] = one.split(":");
    return { at: Number(at) / 1000, action: action ?? "" };
  });
}

/** The server's HTML of what moves: each part takes the place of the one that stands there. */
function replaceParts(html: string): void {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll<HTMLElement>("[data-part]")) {
    const old = document.querySelector<HTMLElement>(`[data-part="${part.dataset["part"]}"]`);
    // What somebody has selected, or scrolls with the keyboard, waits.
    if (old && !old.contains(document.activeElement) && !(getSelection()?.isCollapsed === false && old.contains(getSelection()?.anchorNode ?? null))) {
      old.replaceChildren(...part.childNodes);
      if (part.dataset["events"] !== undefined) {
        old.dataset["events"] = part.dataset["events"];
      }
    }
  }
  readEvents();
}

async function follow(root: HTMLElement, address: string): Promise<void> {
  const charts = [...root.querySelectorAll<HTMLElement>("[data-chart]")].map(makeChart).filter((chart) => chart !== undefined);
  const late = root.querySelector<HTMLElement>("[data-late]");
  let heard = performance.now();
  readEvents();
  const earlier = await fetch(`${address}/moments`).then((answer) => (answer.ok ? answer.json() : { items: [] }), () => ({ items: [] }));
  const moments = earlier.items as Moment[];
  const draw = (): void => charts.forEach((chart) => chart.draw(moments));
  draw();
  const source = new EventSource(address);
  source.addEventListener("parts", (event) => {
    heard = performance.now();
    replaceParts((event as MessageEvent<string>).data);
  });
  source.addEventListener("moment", (event) => {
    const moment = JSON.parse((event as MessageEvent<string>).data) as Moment;
    if (moments.at(-1)?.at !== moment.at) {
      moments.push(moment);
      moments.splice(0, moments.length - momentsKept);
      draw();
    }
  });
  setInterval(() => {
    if (late) {
      late.hidden = performance.now() - heard < lateAfter;
    }
    // A browser does not try again after an answer that was no stream, as of a session that has ended.
    if (source.readyState === EventSource.CLOSED) {
      location.reload();
    }
  }, 1000);
}

const root = document.querySelector<HTMLElement>("[data-live]");
if (root) {
  void follow(root, root.dataset["live"] ?? "");
}

/** There are no figures yet: the page comes again until there are. */
if (document.querySelector("[data-live-soon]")) {
  setTimeout(() => location.reload(), 2000);
}
