// GaC, generation as classification: every step averages the models' next-token distributions over the union of their
// vocabularies (reference_impls/during_inference/gac.py).

import { fused, loaded } from "../fusion.js";
import { softmax } from "../numbers.js";

/** @param {import("../ask.js").Run} run
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* gac(run) {
  const members = await loaded(run, run.fitted.gac.members);
  const tokens = [...new Set(members.flatMap((model) => model.vocabulary))].sort((a, b) => (a < b ? -1 : 1));
  const place = new Map(tokens.map((token, i) => [token, i]));
  const places = members.map((model) => model.vocabulary.map((token) => /** @type {number} */ (place.get(token))));
  return yield* fused(run, members, (_, rows) => {
    const merged = new Array(tokens.length).fill(0);
    rows.forEach((row, m) => softmax(row).forEach((p, i) => { merged[places[m][i]] += p / members.length; }));
    return { tokens, merged };
  });
}
