// Runs beside one another: a worker for all of them, and a lane on the page for each.

import { Lane } from "./lane.js";
import { megabytes, titleOf } from "./offer.js";

export class Player {
  /** @param {HTMLElement} out where lanes stand
   * @param {import("./offer.js").Offer} offer
   * @param {(running: boolean) => void} changed */
  constructor(out, offer, changed) {
    this.out = out;
    this.offer = offer;
    this.changed = changed;
    /** @type {Worker | undefined} */
    this.worker = undefined;
    this.count = 0;
    /** Lanes that run, by the number of their run. @type {Map<number, Lane>} */
    this.running = new Map();
  }

  /** @param {import("./offer.js").Query} query
   * @param {string} task
   * @param {import("./offer.js").Chosen[]} lanes */
  run(query, task, lanes) {
    this.stop();
    this.worker ??= this.begin();
    this.out.replaceChildren();
    for (const chosen of lanes) {
      const id = ++this.count;
      const lane = new Lane(titleOf(chosen, this.offer), (place) => this.out.append(place));
      lane.say("Loads what it needs …");
      this.running.set(id, lane);
      this.worker.postMessage({ type: "run", id, task, query, ...chosen });
    }
    this.settle();
  }

  stop() {
    for (const id of this.running.keys()) this.worker?.postMessage({ type: "stop", id });
    for (const lane of this.running.values()) if (!lane.ended) lane.say("Stopped.");
    this.running.clear();
    this.settle();
  }

  settle() {
    this.changed(this.running.size > 0);
  }

  begin() {
    const made = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    made.onmessage = ({ data: told }) => {
      const lane = this.running.get(told.id);
      if (!lane) return;
      if (told.type === "loading") lane.say(`Loaded ${megabytes(told.bytes)} more …`);
      if (told.type === "event") {
        lane.say("Runs.");
        lane.add(told.event);
      }
      if (told.type === "done") lane.finish(told.text, told.usage);
      if (told.type === "failed") lane.say(`It failed: ${told.message}`);
      if (told.type === "done" || told.type === "failed") {
        this.running.delete(told.id);
        this.settle();
      }
    };
    made.onerror = (event) => {
      for (const lane of this.running.values()) lane.say(`The models could not be started: ${event.message || "the browser does not say why"}`);
      this.running.clear();
      this.worker = undefined;
      this.settle();
    };
    return made;
  }
}
