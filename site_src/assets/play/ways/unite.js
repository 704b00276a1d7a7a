// UniTE: every step averages the models' next-token probabilities over the union of their top-k tokens alone
// (reference_impls/during_inference/unite.py).

import { fused, loaded } from "../fusion.js";
import { largest, softmax } from "../numbers.js";

/** Tokens that a model brings into the union. */
const K = 10;

/** @param {import("../ask.js").Run} run
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* unite(run) {
  const members = await loaded(run, run.fitted.unite.members);
  // By string, the id that stands for it; strings of other vocabularies are added when they first occur.
  const places = members.map((model) => new Map(model.tokenizer.ids));
  return yield* fused(run, members, (texts, rows) => {
    const union = [...new Set(rows.flatMap((row, m) => largest(row, K).map((i) => members[m].vocabulary[i])))].sort(byBytes);
    const shares = rows.map((row, m) => softmax(union.map((token) => {
      if (!places[m].has(token)) places[m].set(token, texts[m].idsOf(token)[0] ?? -1);
      const id = /** @type {number} */ (places[m].get(token));
      return id < 0 ? -Infinity : row[id];
    })));
    const merged = union.map((_, i) => shares.reduce((total, share) => total + share[i], 0) / shares.length);
    return { tokens: union, merged };
  });
}

/** @param {string} a @param {string} b */
const byBytes = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
