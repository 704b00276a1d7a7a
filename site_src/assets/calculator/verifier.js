// What cascades bring with a verifier that errs and has a price, in closed form, held against what single models give
// at the same cost. As reference_impls/measuring/verifier.py, whose text gives the formulas.

import { mean } from "./numbers.js";
import { column, means } from "./preflight.js";

/** @typedef {import("./table.js").Table} Table
 * @typedef {{falseAccept: number, falseReject: number, share: number}} Verifier error rates, and the price of a check as
 *   a share of the last model's mean cost
 * @typedef {{models: string[], quality: number, cost: number, single: number | null, reached: number[]}} Chain `single`
 *   is what single models give at that cost; null below the cheapest */

/** Every pair of models, the cheaper first, and the longer chains of the cheapest so many; null where a cost is not
 * known or there is one model. @param {Table} table @param {Verifier} verifier @returns {Chain[] | null} */
export function chains(table, verifier = { falseAccept: 0.1, falseReject: 0.1, share: 0.05 }) {
  const [n, m] = [table.count, table.models.length];
  if (!n || m < 2 || table.costs.some(Number.isNaN)) return null;
  const [costs, qualities] = [means(table.costs, n, m), means(table.scores, n, m)];
  const order = costs.map((_, j) => j).sort((a, b) => costs[a] - costs[b] || a - b);
  const single = envelope(costs, qualities);
  const pairs = order.flatMap((a, i) => order.slice(i + 1).map((b) => [a, b]));
  const longer = order.slice(2).map((_, i) => order.slice(0, i + 3));
  const [scores, paid] = [table.scores, table.costs].map((values) => costs.map((_, j) => column(values, j, n, m)));
  return [...pairs, ...longer].map((chosen) => {
    const price = verifier.share * costs[chosen[chosen.length - 1]];
    const made = run(chosen.map((j) => scores[j]), chosen.map((j) => paid[j]), verifier, price);
    return { models: chosen.map((j) => table.models[j]), ...made, single: single(made.cost) };
  });
}

/** @param {Float64Array[]} scores @param {Float64Array[]} costs @param {Verifier} verifier @param {number} price */
function run(scores, costs, { falseAccept, falseReject }, price) {
  const [n, last] = [scores[0].length, scores.length - 1];
  const reach = new Float64Array(n).fill(1);
  const [quality, cost] = [new Float64Array(n), new Float64Array(n)];
  const reached = scores.map((right, j) => {
    const asked = mean(reach);
    const checked = j < last ? 1 : 0;
    for (let i = 0; i < n; i++) {
      cost[i] += reach[i] * (costs[j][i] + checked * price);
      quality[i] += reach[i] * right[i] * (1 - checked * falseReject);
      reach[i] *= right[i] * falseReject + (1 - right[i]) * (1 - falseAccept);
    }
    return asked;
  });
  return { quality: mean(quality), cost: mean(cost), reached };
}

/** The best that single models give at a mean cost, mixed by a coin where none costs just that.
 * @param {number[]} costs @param {number[]} qualities @returns {(cost: number) => number | null} */
export function envelope(costs, qualities) {
  /** @type {[number, number][]} */
  const hull = [];
  const below = (/** @type {number[]} */ left, /** @type {number[]} */ middle, /** @type {number[]} */ right) =>
    (middle[1] - left[1]) * (right[0] - left[0]) <= (right[1] - left[1]) * (middle[0] - left[0]);
  const order = costs.map((_, j) => j).sort((a, b) => costs[a] - costs[b] || qualities[b] - qualities[a] || a - b);
  for (const j of order) {
    if (hull.length && qualities[j] <= hull[hull.length - 1][1]) continue;
    while (hull.length > 1 && below(hull[hull.length - 2], hull[hull.length - 1], [costs[j], qualities[j]])) hull.pop();
    hull.push([costs[j], qualities[j]]);
  }
  return (cost) => {
    if (cost < hull[0][0]) return null;
    const next = hull.findIndex(([x]) => x > cost);
    if (next < 0) return hull[hull.length - 1][1];
    const [[x0, y0], [x1, y1]] = [hull[next - 1], hull[next]];
    return y0 + ((y1 - y0) * (cost - x0)) / (x1 - x0);
  };
}
