// A challenge of the server: worked for beside the page. The question stays for a browser that cannot.
import type { Schemas } from "./api.ts";
import { element, language, note, one, texts } from "./page.ts";

export type Solution = { challenge: string; nonce?: string; answer?: string };

/** The nonce; rejects where there are no workers. */
export function work(address: string, stamp: string, bits: number): Promise<string> {
  return new Promise((done, failed) => {
    const worker = new Worker(address);
    worker.onerror = () => failed(new Error("no worker"));
    worker.onmessage = ({ data }) => {
      worker.terminate();
      done(data);
    };
    worker.postMessage({ stamp, bits });
  });
}

/** Of what the API asked for. */
export async function solve(challenge: Schemas["ChallengeDocument"]): Promise<Solution> {
  const box = one("[data-challenge-box]")!;
  note(texts.working);
  try {
    return { challenge: challenge.stamp, nonce: await work(box.dataset["worker"]!, challenge.stamp, challenge.bits) };
  } catch {
    return { challenge: challenge.stamp, answer: await ask(box, challenge.question[language]) };
  } finally {
    note("");
  }
}

function ask(box: HTMLElement, question: string): Promise<string> {
  const label = element("label", question);
  const input = document.createElement("input");
  const hint = element("p", texts.answerHint);
  const button = element("button", texts.answer);
  label.htmlFor = input.id = "challenge-answer";
  input.inputMode = "numeric";
  input.autocomplete = "off";
  input.maxLength = 3;
  input.setAttribute("aria-describedby", (hint.id = "challenge-hint"));
  hint.className = "muted";
  button.className = "quiet";
  button.type = "button";
  box.replaceChildren(label, input, hint, button);
  box.hidden = false;
  input.focus();
  return new Promise((done) => {
    const send = () => {
      if (!/^\d{1,3}$/.test(input.value.trim())) return input.focus();
      box.hidden = true;
      done(input.value.trim());
    };
    button.onclick = send;
    input.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      send();
    };
  });
}
