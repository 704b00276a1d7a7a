// Two tiers by uncertainty: the cheap model's answer stands where it was sure of its first token, else the expensive one is
// asked (reference_impls/after_inference/uncertainty_cascade.py).

import { answerOf } from "../answers.js";
import { ask, candidates, shown } from "../ask.js";
import { largest, logSoftmax } from "../numbers.js";
import { Text } from "../text.js";

/** How many of the likeliest tokens are looked through for one that says something else. */
const LIKELIEST = 10;

/** @param {import("../ask.js").Run} run
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* cascade(run) {
  const { query, names, usage } = run;
  const order = [...new Set([names[0], names[names.length - 1]])];
  /** @type {number} */
  const threshold = run.fitted.cascade.threshold ?? Infinity;
  let text = "";
  let answered = false;
  for (const [stage, name] of order.entries()) {
    const model = await run.model(name);
    const response = yield* ask(model, run);
    const answers = answerOf(response.text, query.kind, query.options) !== null;
    if (answers || !answered) text = response.text;
    answered ||= answers;
    if (stage + 1 === order.length || !answers) continue;
    const logits = await new Text(model, query.prompt, usage).nextLogits();
    const value = margin(logits, model.vocabulary);
    const accepted = value >= threshold;
    yield { kind: "margin", model: name, value, threshold, accepted, top: candidates(model, logSoftmax(logits)), next: order[stage + 1] };
    if (accepted) break;
  }
  return text;
}

/** How much likelier the first token is than the next one that says something else, in nats.
 * @param {Float32Array} logits
 * @param {string[]} vocabulary */
export function margin(logits, vocabulary) {
  const order = largest(logits, LIKELIEST + 1);
  const first = plain(vocabulary[order[0]]);
  for (const place of first ? order.slice(1, LIKELIEST) : []) {
    const other = plain(vocabulary[place]);
    // An end, which says nothing, is another answer than any.
    if (vocabulary[place] === "" || (!first.includes(other) && !other.includes(first))) return logits[order[0]] - logits[place];
  }
  return logits[order[0]] - logits[order[Math.min(order.length - 1, first ? LIKELIEST : 1)]];
}

/** The letters and digits of a token, in lower case. @param {string} token */
function plain(token) {
  return shown(token).replaceAll("\ufffd", "").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}
