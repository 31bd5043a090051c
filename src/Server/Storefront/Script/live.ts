// Pages that the server renders for their visitor: every step works without this.
import { work } from "./challenge.ts";
import { label } from "./button.ts";
import * as clock from "./clock.ts";
import { countDown } from "./countdown.ts";
import { language, many, write } from "./page.ts";

export function showLive(): void {
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement) || !button.dataset["sending"]) return;
    if (button.dataset["sent"]) return event.preventDefault();
    // One click is one request. Disabled only after the form was read.
    button.dataset["sent"] = "1";
    button.textContent = button.dataset["sending"];
    setTimeout(() => (button.disabled = true));
  });
  // Back from the history cache: the page is as it was left, and that is over.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  for (const button of many<HTMLButtonElement>("[data-ready-ms]")) ripen(button);
  for (const button of many<HTMLButtonElement>("[data-retry-seconds]")) retry(button, Number(button.dataset["retrySeconds"]));
  for (const box of many("[data-challenge]")) void solve(box);
}

/** From here on the time is counted down to, which the page says as it is for whoever has no script, or no answer of the clock. */
export function runCountdown(): void {
  if (Number.isNaN(clock.now())) return;
  for (const box of many("[data-running]")) {
    write(box.querySelector("[data-countdown-label]"), box.dataset["running"]!);
    box.removeAttribute("data-running");
  }
  countDown(false);
}

/** Loads this address after some time: not in a hidden tab, nor without a network. Unlike a reload it never sends a form again. */
export function comeAgain(address: string, ms: number): void {
  const come = () => {
    if (document.hidden) document.addEventListener("visibilitychange", come, { once: true });
    else if (!navigator.onLine) addEventListener("online", come, { once: true });
    else location.replace(address);
  };
  setTimeout(come, ms);
}

/** The button of a checkout, whose token must be a second old. */
function ripen(button: HTMLButtonElement): void {
  const text = button.textContent;
  button.disabled = true;
  button.textContent = button.dataset["loading"] ?? text;
  setTimeout(() => {
    button.disabled = false;
    button.textContent = text;
  }, Number(button.dataset["readyMs"]));
}

function retry(button: HTMLButtonElement, seconds: number): void {
  if (seconds <= 0) return button.form?.requestSubmit(button);
  button.disabled = true;
  button.textContent = navigator.onLine ? button.dataset["waiting"]!.replace("{n}", String(seconds)) : label("offline", language);
  setTimeout(() => {
    if (seconds === 1) button.disabled = false;
    retry(button, navigator.onLine ? seconds - 1 : seconds);
  }, 1_000);
}

/** Worked for beside the page; the question stays for a browser that cannot. */
async function solve(box: HTMLElement): Promise<void> {
  const form = box.closest("form")!;
  const button = form.querySelector("button")!;
  const question = box.querySelector<HTMLElement>("[data-question]")!;
  const status = box.querySelector<HTMLElement>("[role=status]")!;
  const show = (asks: boolean, text: string) => {
    question.hidden = !asks;
    question.querySelector("input")!.disabled = !asks;
    status.textContent = text;
    button.disabled = text === box.dataset["working"];
  };
  show(false, box.dataset["working"]!);
  try {
    const nonce = await work(box.dataset["worker"]!, box.dataset["challenge"]!, Number(box.dataset["bits"]));
    (form.elements.namedItem("nonce") as HTMLInputElement).value = nonce;
    show(false, box.dataset["done"]!);
    if (box.dataset["goesOn"]) form.requestSubmit(button);
  } catch {
    show(true, "");
  }
}
