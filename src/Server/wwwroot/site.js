// Comfort only: every step works without this file.

// The server's clock: of three samples the one with the least round trip counts; time goes on by performance.now(), whatever the client's clock does.
let clock = null;
async function sample() {
  const sent = performance.now();
  const answer = await fetch("/api/v1/time", { cache: "no-store" });
  const { epochMs } = await answer.json();
  const trip = performance.now() - sent;
  if (clock === null || trip < clock.trip) clock = { trip, offset: epochMs + trip / 2 - (sent + trip) };
}
const now = () => clock.offset + performance.now();

const zh = document.body.dataset.lang === "zh-CN";
const units = zh ? ["天", "小时", "分", "秒"] : ["d", "h", "min", "s"];
function span(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const parts = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60];
  const text = parts.map((n, i) => (n > 0 ? `${n} ${units[i]}` : "")).filter(Boolean);
  return text.length ? text.join(" ") : `0 ${units[3]}`;
}

function reloadSoon() {
  if (reloadSoon.done) return;
  reloadSoon.done = true;
  setTimeout(() => location.reload(), Math.random() * 300);
}

function tick() {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const left = Number(element.dataset.countdown) - now();
    element.textContent = span(left);
    // A page that polls learns from the server that the phase has changed; another one that a time ran out.
    if (left < -600 && left > -5000 && !document.querySelector("[data-state]") && !document.querySelector("[data-opens]")) reloadSoon();
  }
  for (const button of document.querySelectorAll("[data-opens]")) {
    if (button.disabled && !button.dataset.sent && now() >= Number(button.dataset.opens)) {
      button.disabled = false;
      button.textContent = button.dataset.openText;
    }
  }
}

// A hidden tab does not poll; a shown one asks when the last answer said so, with jitter.
async function poll(sale) {
  let wait = 2000;
  if (!document.hidden) {
    try {
      const answer = await fetch(sale.dataset.state);
      if (answer.ok) {
        const state = await answer.json();
        wait = state.nextPollMs;
        const flag = (value) => (value ? "1" : "0");
        // A stale state is no reason for a hundred thousand pages to load again.
        if (!state.stale && [state.phase, ...state.offers.map((o) => flag(o.soldOut) + flag(o.holds))].join(" ") !== sale.dataset.seen) return reloadSoon();
        for (const offer of state.offers) {
          const bar = document.querySelector(`[data-sold="${CSS.escape(offer.id)}"]`);
          if (bar && bar.value !== offer.soldPercent) {
            bar.value = offer.soldPercent;
            const text = document.querySelector(`[data-sold-text="${CSS.escape(offer.id)}"]`);
            text.textContent = text.textContent.replace(/\d+/, String(offer.soldPercent));
            bar.setAttribute("aria-label", text.textContent);
          }
        }
      }
    } catch {
      // No network: the next turn asks again.
    }
  }
  if (sale.dataset.seen.startsWith("ended")) return;
  setTimeout(poll, wait * (0.9 + Math.random() * 0.2), sale);
}

function busy(button, seconds) {
  if (seconds <= 0) return button.form.requestSubmit();
  button.disabled = true;
  button.textContent = navigator.onLine ? document.body.dataset.busy.replace("{n}", String(seconds)) : document.body.dataset.offline;
  setTimeout(() => {
    if (seconds === 1) button.disabled = false;
    busy(button, navigator.onLine ? seconds - 1 : seconds);
  }, 1000);
}

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.sending) return;
  if (button.dataset.sent) return event.preventDefault();
  // One click is one request. Disabled only after the form was read.
  button.dataset.sent = "1";
  button.textContent = button.dataset.sending;
  setTimeout(() => (button.disabled = true));
});

// Back from the history cache: the page is as it was left, and that is over.
addEventListener("pageshow", (event) => event.persisted && location.reload());

// A challenge is solved beside the page; the question stays for a browser that cannot.
function solve(box) {
  const form = box.closest("form");
  const button = form.querySelector("button");
  const question = box.querySelector("[data-question]");
  const status = box.querySelector("[role=status]");
  const show = (asks, text) => {
    question.hidden = !asks;
    question.querySelector("input").disabled = !asks;
    status.textContent = text;
  };
  const worker = new Worker(box.dataset.worker);
  show(false, box.dataset.working);
  button.disabled = true;
  worker.onerror = () => {
    show(true, "");
    button.disabled = false;
  };
  worker.onmessage = ({ data }) => {
    worker.terminate();
    form.elements.nonce.value = data;
    show(false, box.dataset.done);
    button.disabled = false;
    if (box.dataset.goesOn) form.requestSubmit(button);
  };
  worker.postMessage({ stamp: box.dataset.challenge, bits: Number(box.dataset.bits) });
}
for (const box of document.querySelectorAll("[data-challenge]")) solve(box);

for (const button of document.querySelectorAll("[data-ready-ms]")) {
  const text = button.textContent;
  button.disabled = true;
  button.textContent = button.dataset.loading;
  setTimeout(() => {
    button.disabled = false;
    button.textContent = text;
  }, Number(button.dataset.readyMs));
}
for (const button of document.querySelectorAll("[data-retry-seconds]")) busy(button, Number(button.dataset.retrySeconds));

if (document.querySelector("[data-countdown], [data-state]")) {
  try {
    for (let i = 0; i < 3; i++) await sample();
    tick();
    setInterval(tick, 250);
  } catch {
    // Without the server's clock the text of the page stands.
  }
  const sale = document.querySelector("[data-state]");
  if (sale) poll(sale);
}
