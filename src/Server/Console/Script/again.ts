// A page that looks again: what stands in [data-again-part] is fetched anew every data-again milliseconds, and the rest of the page, with what is typed there, stays.
import { become } from "./parts";

const again = document.querySelector<HTMLElement>("[data-again]");

async function look(place: HTMLElement): Promise<void> {
  const part = place.querySelector("[data-again-part]");
  if (document.hidden || !part) {
    return;
  }
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
  if (!answer.ok) {
    // A session that has ended: the page as a whole says so. A server that is away comes back.
    if (answer.type === "opaqueredirect") {
      location.reload();
    }
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-again-part]");
  if (fresh) {
    become(part, fresh);
  }
}

if (again) {
  const every = Number(again.dataset["again"]);
  const next = (): void => {
    setTimeout(() => void look(again).catch(() => undefined).finally(next), every);
  };
  next();
}

export {};
