// What moves: a part of the page becomes what the server says now, in its place. Whatever has the focus, or was scrolled, stays: a figure that waited until somebody goes
// elsewhere would be old, and nothing would say so.

function takeAttributes(old: Element, fresh: Element): void {
  for (const name of old.getAttributeNames()) {
    if (!fresh.hasAttribute(name)) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
}

/** `fresh` is used up. */
export function become(old: Node, fresh: Node): void {
  if (old instanceof Element && fresh instanceof Element) {
    takeAttributes(old, fresh);
  } else if (old.nodeValue !== fresh.nodeValue) {
    old.nodeValue = fresh.nodeValue;
  }
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((child, i) => {
    const there = before[i];
    if (!there) {
      old.appendChild(child);
    } else if (there.nodeName === child.nodeName) {
      become(there, child);
    } else {
      there.replaceWith(child);
    }
  });
  before.slice(after.length).forEach((child) => child.remove());
}

/** Whether the page that is open could be loaded again: `elsewhere` when it leads to another, as without a session; `away` when nobody answers as they should. */
export async function probe(): Promise<"here" | "elsewhere" | "away"> {
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
    void answer.body?.cancel();
    return answer.type === "opaqueredirect" ? "elsewhere" : answer.ok ? "here" : "away";
  } catch {
    return "away";
  }
}
