// One model answers the query alone, greedily, and is billed for it.

import { answerOf } from "./answers.js";
import { confidence } from "./model.js";
import { largest } from "./numbers.js";

/** @typedef {import("./model.js").Generation} Generation
 * @typedef {{prompt: string, kind: string, options: string[], maxTokens: number}} Query
 * @typedef {Record<string, any> & {kind: string}} Event what a reader sees of a run, in plain data
 * @typedef {{query: Query, names: string[], model: (name: string) => Promise<import("./model.js").Model>,
 *   usage: import("./usage.js").Usage, fitted: any}} Run `names` from the cheapest to the most expensive model; `model` loads one */

/** How many of the next token's candidates are shown. */
export const SHOWN = 5;

/** @param {import("./model.js").Model} model
 * @param {Run} run
 * @param {string} [prompt] where it is not the query's own
 * @returns {AsyncGenerator<Event, Generation>} */
export async function* ask(model, { query, usage }, prompt = query.prompt) {
  const writing = model.generate(prompt, query.maxTokens);
  let read = false;
  for (;;) {
    const { value, done } = await writing.next();
    if (done) {
      const answer = answerOf(value.text, query.kind, query.options);
      yield { kind: "answer", model: model.name, text: value.text, answer, confidence: confidence(value), tokens: value.completionTokens, ms: value.ms };
      return value;
    }
    // The tokens of a response are billed as they come, its prompt with the first.
    usage.record(model.card, read ? 0 : 1, read ? 0 : model.read(prompt).length, 1);
    read = true;
    yield { kind: "token", model: model.name, piece: shown(model.vocabulary[value.token]), top: candidates(model, value.logs) };
  }
}

/** The likeliest next tokens with their probabilities; the empty string is the end.
 * @param {import("./model.js").Model} model
 * @param {Float64Array} logs
 * @returns {[string, number][]} */
export function candidates(model, logs) {
  return largest(logs, SHOWN).map((i) => [shown(model.vocabulary[i]), Math.exp(logs[i])]);
}

/** A token as text.
 * @param {string} data a byte string */
export const shown = (data) => new TextDecoder().decode(Uint8Array.from(data, (byte) => byte.charCodeAt(0)));
