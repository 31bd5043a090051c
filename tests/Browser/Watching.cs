namespace FlashSale.Tests.Browser;

/// <summary>Scripts of the tests in the page.</summary>
internal static class Watching
{
    /// <summary>Runs before any script of a page: notes what moves and what is announced.</summary>
    public const string Script = """
        (() => {
          const shifts = [], announced = [], changes = [];
          const trueNow = (globalThis.__trueDate ?? Date).now;
          let hidden = false;
          const watch = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
          watch.observe({ type: "layout-shift", buffered: true });
          Object.defineProperty(document, "hidden", { get: () => hidden });
          Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
          addEventListener("DOMContentLoaded", () => {
            const live = document.querySelector("[data-announce]");
            if (live) new MutationObserver(() => live.textContent.trim() && announced.push(live.textContent.trim())).observe(live, { childList: true, characterData: true, subtree: true });
            for (const timer of document.querySelectorAll("[data-countdown]")) {
              const note = () => changes.push({ what: "countdown", text: timer.textContent.trim(), enabled: false, at: trueNow() });
              new MutationObserver(note).observe(timer, { childList: true, characterData: true, subtree: true });
            }
            for (const button of document.querySelectorAll("[data-main-button]")) {
              const note = () => changes.push({ what: button.dataset.mainButton, text: button.textContent.trim(), enabled: !button.disabled, at: trueNow() });
              new MutationObserver(note).observe(button, { attributes: true });
            }
          });
          globalThis.__watching = {
            announced,
            changes,
            /** What has just moved is known once it is drawn; a page that nobody sees draws nothing. */
            async shift() {
              await new Promise((drawn) => {
                setTimeout(drawn, 300);
                requestAnimationFrame(() => requestAnimationFrame(drawn));
              });
              shifts.push(...watch.takeRecords());
              return shifts.filter((entry) => !entry.hadRecentInput).reduce((sum, entry) => sum + entry.value, 0);
            },
            moved: () => shifts.filter((entry) => !entry.hadRecentInput).flatMap((entry) => entry.sources.map((source) =>
              `${Math.round(entry.startTime)} ms: y ${source.previousRect.y} -> ${source.currentRect.y}, height ${source.previousRect.height} -> ${source.currentRect.height}: ${source.node?.outerHTML?.slice(0, 120)}`)),
            hide(value) {
              hidden = value;
              document.dispatchEvent(new Event("visibilitychange"));
            },
            /** A timer for each full second before a moment of the true time: how late each was. What holds up the page holds up these too. */
            tick(moment) {
              const ticks = (globalThis.__watching.ticks = []);
              for (let due = moment - 1_000; due > trueNow(); due -= 1_000) setTimeout(() => ticks.push({ left: (moment - due) / 1_000, lateMs: trueNow() - due }), due - trueNow());
            },
          };
        })();
        """;

    /// <summary>Runs before any script of a page: notes how long each answer was under way, as the page sees it. That is how well it can know the time.</summary>
    public const string Trips = """
        (() => {
          const ask = globalThis.fetch, trips = (globalThis.__trips = []);
          const trueNow = (globalThis.__trueDate ?? Date).now;
          globalThis.fetch = async (...what) => {
            const sent = performance.now();
            const answer = await ask(...what);
            trips.push({ path: new URL(answer.url).pathname, ms: performance.now() - sent, at: trueNow() });
            return answer;
          };
        })();
        """;

    /// <summary>The elements that stand out of a screen of the given width.</summary>
    public const string TooWide = """
        (width) => [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width + 0.5).slice(0, 5).map((e) => e.outerHTML.slice(0, 150)).join("\n")
        """;
}
