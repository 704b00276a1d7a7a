// What cascades bring with a verifier that errs and has a price, in closed form, held against what single models give
// at the same cost. As reference_impls/measuring/verifier.py, whose text gives the formulas.

import { LEVEL } from "./comparison.js";
import { inverse } from "./normal.js";
import { mean } from "./numbers.js";
import { column, means } from "./preflight.js";

/** @typedef {import("./table.js").Table} Table
 * @typedef {{falseAccept: number, falseReject: number, share: number}} Verifier error rates, and the price of a check as
 *   a share of the last model's mean cost
 * @typedef {{gain: number, low: number, high: number}} Lead over what single models give at the chain's cost
 * @typedef {{models: string[], quality: number, cost: number, lead: Lead | null, reached: number[]}} Chain `lead` is null
 *   below the cheapest model's cost
 * @typedef {{cost: number, quality: number, model: number}} Point of the envelope */

/** Every pair of models, the cheaper first, and the longer chains of the cheapest so many; null where a cost is not
 * known or there is one model. The intervals of all hold together.
 * @param {Table} table @param {Verifier} verifier @returns {Chain[] | null} */
export function chains(table, verifier = { falseAccept: 0.1, falseReject: 0.1, share: 0.05 }) {
  const [n, m] = [table.count, table.models.length];
  if (!n || m < 2 || table.costs.some(Number.isNaN)) return null;
  const [costs, qualities] = [means(table.costs, n, m), means(table.scores, n, m)];
  const order = costs.map((_, j) => j).sort((a, b) => costs[a] - costs[b] || a - b);
  const hull = envelope(costs, qualities);
  const pairs = order.flatMap((a, i) => order.slice(i + 1).map((b) => [a, b]));
  const longer = order.slice(2).map((_, i) => order.slice(0, i + 3));
  const several = [...pairs, ...longer];
  const z = inverse(1 - (1 - LEVEL) / 2 / several.length);
  const [scores, paid] = [table.scores, table.costs].map((values) => costs.map((_, j) => column(values, j, n, m)));
  return several.map((chosen) => {
    const price = verifier.share * costs[chosen[chosen.length - 1]];
    const { quality, cost, reached } = run(chosen.map((j) => scores[j]), chosen.map((j) => paid[j]), verifier, price);
    const lead = leadOf(quality, cost, hull, scores, paid, z);
    return { models: chosen.map((j) => table.models[j]), quality: mean(quality), cost: mean(cost), lead, reached };
  });
}

/** What a chain gives and costs, query by query, and how probably each model is asked.
 * @param {Float64Array[]} scores @param {Float64Array[]} costs @param {Verifier} verifier @param {number} price */
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
  return { quality, cost, reached };
}

/** How much more a chain gives than single models at its cost, with an interval. What those give hangs on mean costs,
 * too, so that each query counts by its influence on the lead (the delta method), whose mean is the lead itself.
 * @param {Float64Array} quality @param {Float64Array} cost of the chain @param {Point[]} hull
 * @param {Float64Array[]} scores @param {Float64Array[]} costs of all models @param {number} z
 * @returns {Lead | null} */
function leadOf(quality, cost, hull, scores, costs, z) {
  const [n, at] = [quality.length, mean(cost)];
  if (at < hull[0].cost) return null;
  const next = hull.findIndex((point) => point.cost > at);
  const a = hull[next < 0 ? hull.length - 1 : next - 1];
  const b = next < 0 ? a : hull[next];
  const slope = b === a ? 0 : (b.quality - a.quality) / (b.cost - a.cost);
  const weight = b === a ? 0 : (at - a.cost) / (b.cost - a.cost);
  const [scoreA, scoreB, costA, costB] = [scores[a.model], scores[b.model], costs[a.model], costs[b.model]];
  const gain = mean(quality) - (a.quality + slope * (at - a.cost));
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const mixed = scoreA[i] + slope * (cost[i] - costA[i]) + weight * (scoreB[i] - scoreA[i] - slope * (costB[i] - costA[i]));
    squares += (quality[i] - mixed - gain) ** 2;
  }
  const error = n > 1 ? Math.sqrt(squares / (n - 1) / n) : Infinity;
  return { gain, low: gain - z * error, high: gain + z * error };
}

/** The best that single models give at a mean cost, mixed by a coin where none costs just that: the corners, from the
 * cheapest on. @param {number[]} costs @param {number[]} qualities @returns {Point[]} */
export function envelope(costs, qualities) {
  /** @type {Point[]} */
  const hull = [];
  const below = (/** @type {Point} */ left, /** @type {Point} */ middle, /** @type {Point} */ right) =>
    (middle.quality - left.quality) * (right.cost - left.cost) <= (right.quality - left.quality) * (middle.cost - left.cost);
  const order = costs.map((_, j) => j).sort((a, b) => costs[a] - costs[b] || qualities[b] - qualities[a] || a - b);
  for (const model of order) {
    const point = { cost: costs[model], quality: qualities[model], model };
    if (hull.length && point.quality <= hull[hull.length - 1].quality) continue;
    while (hull.length > 1 && below(hull[hull.length - 2], hull[hull.length - 1], point)) hull.pop();
    hull.push(point);
  }
  return hull;
}
