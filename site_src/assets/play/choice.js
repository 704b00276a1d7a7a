// The choice of one response by merit, and how ties are decided: reference_impls/core/choice.py.

import { confidence } from "./model.js";

/** Merits that differ by less are equal. */
const SAME = 1e-9;
const sum = (/** @type {number[]} */ values) => values.reduce((total, value) => total + value, 0);

/** @typedef {import("./model.js").Generation} Generation */

/** @param {Generation[]} responses
 * @param {(string | null)[]} answers what each of them says; null: nothing
 * @param {number[]} merits of each of them
 * @param {Record<string, number>} accuracies of the models on held-out queries
 * @returns {{chosen: Generation, tie: "" | "accuracy" | "confidence" | "draw"}} */
export function choose(responses, answers, merits, accuracies) {
  const voices = responses.map((_, i) => i).filter((i) => answers[i] !== null);
  if (!voices.length) return { chosen: [...responses].sort((a, b) => Number(!a.text.trim()) - Number(!b.text.trim()) || order(a, b))[0], tie: "" };
  const most = Math.max(...voices.map((i) => merits[i]));
  /** @type {Map<string, Generation[]>} */
  const best = new Map();
  for (const i of voices) {
    if (merits[i] < most - SAME) continue;
    const answer = String(answers[i]);
    best.set(answer, [...(best.get(answer) ?? []), responses[i]]);
  }
  const of = (/** @type {string} */ answer) => /** @type {Generation[]} */ (best.get(answer));
  const rules = /** @type {const} */ ([
    ["accuracy", (/** @type {string} */ answer) => sum(of(answer).map((r) => accuracies[r.model] ?? 0)) / of(answer).length],
    ["confidence", (/** @type {string} */ answer) => sum(of(answer).map(confidence))],
  ]);
  let left = [...best.keys()].sort((a, b) => (a < b ? -1 : 1));
  /** @type {"" | "accuracy" | "confidence" | "draw"} */
  let tie = "";
  for (const [name, rule] of rules) {
    if (left.length === 1) break;
    const values = left.map(rule);
    const kept = left.filter((_, i) => values[i] >= Math.max(...values) - SAME);
    if (kept.length < left.length) [left, tie] = [kept, name];
  }
  if (left.length > 1) tie = "draw"; // here the first in the alphabet: every replay shows the same
  return { chosen: [...of(left[0])].sort(order)[0], tie };
}

/** The more confident first, then by name. @param {Generation} a @param {Generation} b */
function order(a, b) {
  return confidence(b) - confidence(a) || (a.model < b.model ? -1 : 1);
}

/** How many of the responses give the answer that each gives. @param {(string | null)[]} answers */
export const counts = (answers) => answers.map((answer) => (answer === null ? 0 : answers.filter((other) => other === answer).length));
