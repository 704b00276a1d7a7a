// Reads and computes beside the page, so that it never waits. Keeps the last table for the sliders.

import { open, look, recommend } from "./analysis.js";
import { decoded } from "./csv.js";
import { chains } from "./verifier.js";

/** @typedef {{bytes: ArrayBuffer} | {recommend: {margin: number, threshold: number}} |
 *   {verifier: import("./verifier.js").Verifier}} Asked */

/** @type {import("./table.js").Tables | null} */
let used = null;

self.addEventListener("message", ({ data }) => {
  const { number, asked } = /** @type {{number: number, asked: Asked}} */ (data);
  const tell = (/** @type {object} */ told) => self.postMessage({ number, ...told });
  try {
    if ("bytes" in asked) {
      const { text, whole } = decoded(asked.bytes);
      const opened = open(text, whole);
      used = opened.used;
      tell({ read: opened.read });
      if (used) {
        tell({ preflight: look(used), verifier: chains(used.labelled) });
        tell({ advice: recommend(used, {}) });
      }
      tell({ done: true });
    } else if ("recommend" in asked) tell({ advice: used && recommend(used, asked.recommend), done: true });
    else tell({ verifier: used && chains(used.labelled, asked.verifier), done: true });
  } catch (error) {
    used = null;
    tell({ failed: error instanceof Error ? error.message : String(error), done: true });
  }
});
