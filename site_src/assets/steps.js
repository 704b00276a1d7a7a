// Plays the frames of a trace one at a time, by buttons and arrow keys. Without this file all stand side by side, as
// they do on paper.

import { el } from "./dom.js";

const KEYS = { ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1 };

function play(section) {
  const frames = [...section.querySelectorAll(".atlas-frames > li")];
  let at = 0;
  let whole = false;

  const position = el("span", { class: "atlas-steps-at", "aria-live": "polite" });
  const back = el("button", { type: "button", click: () => show(at - 1) }, "← Back");
  const next = el("button", { type: "button", click: () => show(at + 1) }, "Next →");
  const all = el("button", { type: "button", "aria-pressed": "false", click: () => { whole = !whole; show(at); } }, "All frames");
  const title = document.querySelector("h1")?.firstChild?.textContent?.trim() ?? "Steps";
  const saved = (/** @type {"saveStrip" | "printSlides"} */ name, /** @type {string} */ label) => el("button", {
    type: "button", class: "atlas-steps-save", click: async () => (await import("./steps-save.js"))[name](section, title),
  }, label);
  const bar = el("div", { class: "atlas-steps-bar", role: "group", "aria-label": "Steps; arrow keys go on and back" },
    back, next, position, all, saved("saveStrip", "All as one SVG"), saved("printSlides", "Slides (print or PDF)"));

  function show(place) {
    at = Math.min(Math.max(place, 0), frames.length - 1);
    frames.forEach((frame, i) => frame.classList.toggle("atlas-frame-off", !whole && i !== at));
    section.classList.toggle("atlas-steps--one", !whole);
    // aria-disabled, as a button that is disabled loses the focus, and with it the arrow keys
    back.setAttribute("aria-disabled", String(whole || at === 0));
    next.setAttribute("aria-disabled", String(whole || at === frames.length - 1));
    all.setAttribute("aria-pressed", String(whole));
    position.textContent = whole ? `${frames.length} steps` : `Step ${at + 1} of ${frames.length}`;
  }

  bar.addEventListener("keydown", (event) => {
    if (whole || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { Home: 0, End: frames.length - 1 }[event.key] ?? (event.key in KEYS ? at + KEYS[event.key] : null);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    show(to);
  });
  section.querySelector(".atlas-frames").before(bar);
  show(0);
}

document.querySelectorAll(".atlas-steps").forEach(play);
