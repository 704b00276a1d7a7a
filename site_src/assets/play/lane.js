// One run on the page: its frames, which can be paused, stepped and rewound, and its bill.

import { counted, el } from "../dom.js";
import { frame } from "./frames.js";

const dollars = (/** @type {number} */ cost) => (cost === 0 ? "$0" : `$${cost.toPrecision(3)}`);

export class Lane {
  /** @param {string} title @param {(place: HTMLElement) => void} put */
  constructor(title, put) {
    /** @type {any[]} */
    this.events = [];
    /** @type {string | null} */
    this.text = null;
    /** How many events are shown; Infinity follows the run. */
    this.at = Infinity;
    /** The picture that is due. @type {number | undefined} */
    this.due = undefined;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.bill = el("p", { class: "atlas-play-bill" });
    this.status = el("p", { class: "atlas-play-status", role: "status" }, "Waits.");
    this.view = el("div", { class: "atlas-play-frame" });
    this.place = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": `Step of: ${title}`, input: () => this.go(Number(this.place.value)) });
    this.back = el("button", { type: "button", click: () => this.go(this.shown - 1) }, "← Back");
    this.next = el("button", { type: "button", click: () => this.go(this.shown + 1) }, "Step →");
    this.pause = el("button", { type: "button", click: () => this.toggle() }, "Pause");
    this.root = el("section", { class: "atlas-play-lane", "aria-label": title },
      el("h3", {}, title), this.status, this.bill,
      el("div", { class: "atlas-play-controls", role: "group", "aria-label": `Steps of: ${title}` }, this.back, this.pause, this.next, this.place), this.view);
    put(this.root);
    this.draw();
  }

  get shown() {
    return Math.min(this.at, this.events.length);
  }

  get ended() {
    return this.text !== null;
  }

  /** @param {any} event */
  add(event) {
    this.events.push(event);
    this.schedule();
  }

  /** @param {string} text @param {any} usage */
  finish(text, usage) {
    this.text = text;
    this.usage = usage;
    this.say(`Finished in ${Math.round(usage.ms)} ms.`);
    this.schedule();
  }

  /** @param {string} message */
  say(message) {
    if (this.status.textContent !== message) this.status.textContent = message;
  }

  /** Shows the first so many events, and stays there. @param {number} place */
  go(place) {
    this.stop();
    this.at = Math.max(0, Math.min(place, this.events.length));
    this.schedule();
  }

  /** Pauses, or goes on: with the run, or from where it was paused, eight events a second. */
  toggle() {
    if (this.timer) {
      this.stop();
    } else if (this.at === Infinity && !this.ended) {
      this.at = this.events.length;
    } else {
      if (this.shown === this.events.length) this.at = 0;
      this.timer = setInterval(() => {
        this.at = this.shown + 1;
        if (this.ended && this.at >= this.events.length) this.stop();
        this.schedule();
      }, 125);
    }
    this.schedule();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Draws once before the next picture, however many events have come. */
  schedule() {
    this.due ??= requestAnimationFrame(() => {
      this.due = undefined;
      this.draw();
    });
  }

  draw() {
    const { shown } = this;
    const events = this.events.slice(0, shown);
    const whole = this.ended && shown === this.events.length;
    const usage = (whole ? this.usage : events.at(-1)?.usage) ?? { calls: 0, prompt: 0, completion: 0, cost: 0, ms: 0 };
    this.view.replaceChildren(...frame(events, whole ? this.text : null));
    this.bill.textContent = `${counted(usage.calls, "call")}, ${counted(usage.prompt, "token")} read, ${usage.completion.toLocaleString("en")} written, ${dollars(usage.cost)}, ${Math.round(usage.ms)} ms`;
    const running = this.timer || (this.at === Infinity && !this.ended);
    this.pause.textContent = running ? "Pause" : "Play";
    this.back.setAttribute("aria-disabled", String(shown === 0));
    this.next.setAttribute("aria-disabled", String(shown === this.events.length));
    this.place.max = String(this.events.length);
    this.place.value = String(shown);
    this.place.setAttribute("aria-valuetext", `${shown} of ${this.events.length}`);
    this.root.dataset.state = this.ended ? "done" : "open";
  }
}
