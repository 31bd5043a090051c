// The live board: what the server sends replaces what stands there; the charts get the figures of each second.
import uPlot from "uplot";
import { become, probe } from "./parts";

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

type Row = (number | null)[];

type Chart = { plot: uPlot; draw(moments: Moment[]): void };

/** As many as the server keeps. */
const momentsKept = 1800;

/** Without a word of the server for so long, the figures are old. */
const lateAfter = 2000;

/** After an answer that was no stream a browser does not ask again by itself. The server asks for ten seconds, and not for all at once. */
const askAgainAfter = 10_000;
const height = 220;

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** By kind of chart, and of decisions for the layers that the server names. */
const values: Record<string, (moment: Moment, layers: string[]) => Row> = {
  units: (m) => [m.available, m.held, m.sold, m.gateStock ?? null],
  rates: (m) => [m.ordersPerSecond ?? null, m.paidPerSecond ?? null],
  latency: (m) => [m.p50Ms ?? null, m.p99Ms ?? null],
  // What is behind lies on what is before it.
  decisions: (m, layers) => {
    let sum = 0;
    return [m.admittedPerSecond ?? 0, ...layers.map((layer) => m.refused[layer] ?? 0)].map((rate) => (sum += rate));
  },
};

let events: { at: number; name: string }[] = [];

/** A line for each thing that an operator did, with its name along it. */
function markers(plot: uPlot): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = color("--muted");
  ctx.fillStyle = color("--muted");
  ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.setLineDash([4, 4]);
  for (const event of events) {
    const x = plot.valToPos(event.at, "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.save();
      ctx.translate(x - 4 * devicePixelRatio, bbox.top + 4 * devicePixelRatio);
      ctx.rotate(-Math.PI / 2);
      ctx.textAlign = "right";
      ctx.fillText(event.name, 0, 0, bbox.height);
      ctx.restore();
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
  const layers = (at.dataset["layers"] ?? "").split(" ");
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
      const rows = moments.map((moment) => read(moment, layers));
      plot.setData([moments.map((m) => Date.parse(m.at) / 1000), ...order.map((i) => rows.map((row) => row[i] ?? null))]);
    },
  };
}

function readEvents(): void {
  const text = document.querySelector<HTMLElement>("[data-events]")?.dataset["events"] ?? "";
  events = text.split("|").filter(Boolean).map((one) => {
    const [at, name] = one.split(":");
    return { at: Number(at) / 1000, name: name ?? "" };
  });
}

/** The server's HTML of what moves. */
function takeParts(html: string): void {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll<HTMLElement>("[data-part]")) {
    const old = document.querySelector<HTMLElement>(`[data-part="${part.dataset["part"]}"]`);
    if (old) {
      become(old, part);
    }
  }
  readEvents();
}

/** The stream, and another one when it is refused: too many follow, or a server starts. Only without a session is there nothing to wait for. */
function listen(address: string, hear: (event: MessageEvent<string>) => void): void {
  const source = new EventSource(address);
  source.addEventListener("parts", hear);
  source.addEventListener("moment", hear);
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) {
      return;
    }
    setTimeout(() => {
      void probe().then((answer) => (answer === "elsewhere" ? location.reload() : listen(address, hear)));
    }, askAgainAfter * (1 + Math.random() / 2));
  });
}

async function follow(root: HTMLElement, address: string): Promise<void> {
  const charts = [...root.querySelectorAll<HTMLElement>("[data-chart]")].map(makeChart).filter((chart) => chart !== undefined);
  const late = root.querySelector<HTMLElement>("[data-late]");
  let heard = performance.now();
  readEvents();
  const moments: Moment[] = [];
  const draw = (): void => charts.forEach((chart) => chart.draw(moments));
  listen(address, ({ type, data }) => {
    if (type === "parts") {
      heard = performance.now();
      takeParts(data);
      return;
    }
    const moment = JSON.parse(data) as Moment;
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
  }, 1000);
  if (charts.length > 0) {
    const earlier = await fetch(`${address}/moments`).then((answer) => (answer.ok ? answer.json() : { items: [] }), () => ({ items: [] }));
    const known = moments[0]?.at;
    moments.unshift(...(earlier.items as Moment[]).filter((moment) => known === undefined || Date.parse(moment.at) < Date.parse(known)));
    draw();
  }
}

const root = document.querySelector<HTMLElement>("[data-live]");
if (root) {
  void follow(root, root.dataset["live"] ?? "");
}

/** There are no figures yet, but there will be after so many seconds: then the page comes again, once somebody looks at it, until it has them. */
const soon = document.querySelector<HTMLElement>("[data-live-soon]");
if (soon) {
  const come = (): void => {
    if (document.hidden) {
      document.addEventListener("visibilitychange", come, { once: true });
      return;
    }
    void probe().then((answer) => (answer === "away" ? setTimeout(come, askAgainAfter) : location.reload()));
  };
  setTimeout(come, Math.max(2, Number(soon.dataset["liveSoon"])) * 1000);
}
