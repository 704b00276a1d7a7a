// Token by token: all models read the same text, and each step decides the next piece of it (Fusion of
// reference_impls/core/stages.py).

import { candidates, shown, SHOWN } from "./ask.js";
import { argmax, largest, logSoftmax } from "./numbers.js";
import { Text } from "./text.js";

/** @typedef {(texts: Text[], rows: Float32Array[]) => {tokens: string[], merged: number[]}} Merge from the models' logits to
 *   strings and their merged probabilities */

/** @param {import("./ask.js").Run} run
 * @param {import("./model.js").Model[]} members
 * @param {Merge} merge
 * @returns {AsyncGenerator<import("./ask.js").Event, string>} */
export async function* fused({ query, usage }, members, merge) {
  const texts = members.map((model) => new Text(model, query.prompt, usage));
  for (let step = 0; step < query.maxTokens; step++) {
    /** @type {Float32Array[]} */
    const rows = [];
    for (const text of texts) rows.push(await text.nextLogits());
    const { tokens, merged } = merge(texts, rows);
    const own = rows.map((row, m) => members[m].vocabulary[argmax(row)]);
    const next = leading(tokens, merged, own);
    yield {
      kind: "step",
      models: members.map((model, m) => ({ model: model.name, top: candidates(model, logSoftmax(rows[m])) })),
      merged: largest(merged, SHOWN).map((i) => [shown(tokens[i]), merged[i]]),
      piece: shown(next),
      against: members.filter((_, m) => own[m] !== next).map((model) => model.name),
    };
    if (next === "") break;
    for (const text of texts) text.take(next);
    if (texts.some((text) => text.room <= 0)) break;
  }
  return texts[0].text;
}

/** The string of the largest value; of equal ones the first that is some model's own choice.
 * @param {string[]} tokens
 * @param {number[]} values
 * @param {string[]} own */
function leading(tokens, values, own) {
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const best = tokens.filter((_, i) => values[i] === most);
  return best.find((token) => own.includes(token)) ?? best[0];
}

/** The members of a run, loaded one after another.
 * @param {import("./ask.js").Run} run
 * @param {string[]} names
 * @returns {Promise<import("./model.js").Model[]>} */
export async function loaded(run, names) {
  const models = [];
  for (const name of names) models.push(await run.model(name));
  return models;
}
