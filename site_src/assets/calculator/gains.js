// The gain over the best single model from cross-validation, with an interval that covers (Nadeau and Bengio 2003). As
// reference_impls/advising/gains.py, whose text says why.

import { LEVEL, signFlip } from "./comparison.js";
import { erfc, inverse } from "./normal.js";
import { mean, sum } from "./numbers.js";

/** @typedef {import("./comparison.js").Gain} Gain
 * @typedef {Float64Array[]} Crossed one array a repetition, one number a query */

export const Z = inverse((1 + LEVEL) / 2);
const POWER = 0.8;

/** Mean of cross-validated differences and its standard error.
 * @param {Crossed} difference @param {number} folds @param {boolean} learned @returns {[number, number]} */
export function crossed(difference, folds, learned) {
  const [repeats, n] = [difference.length, difference[0].length];
  const centres = difference.map((row) => mean(row));
  const spread = difference.map((row, r) => sum(row.map((value) => (value - centres[r]) ** 2)) / n);
  const variance = mean(spread) / n;
  return [mean(centres), Math.sqrt(variance * (learned ? 1 / repeats + folds / (folds - 1) : 1))];
}

/** @param {Crossed} a @param {Crossed} b */
export const minus = (a, b) => a.map((row, r) => row.map((value, i) => value - b[r][i]));

/** Mean over the repetitions, a query. @param {Crossed} rows */
function averaged(rows) {
  return rows[0].map((_, i) => {
    let total = 0;
    for (const row of rows) total += row[i];
    return total / rows.length;
  });
}

/** A gain over the best single model as each fold chooses it, held against the one that is best on all queries too,
 * and its standard error. @param {Crossed} scores @param {Crossed} chosen @param {Float64Array} model
 * @param {number} folds @param {boolean} learned @returns {[Gain, number]} */
export function gainOf(scores, chosen, model, folds, learned) {
  const overChosen = minus(scores, chosen);
  const overModel = minus(scores, scores.map(() => model));
  const sides = [crossed(overChosen, folds, true), crossed(overModel, folds, learned)];
  let p = Math.max(...sides.map(([gain, error]) => (error ? erfc(Math.abs(gain) / error / Math.SQRT2) : Number(!gain))));
  p = Math.max(p, signFlip(averaged(overChosen)), signFlip(averaged(overModel)));
  if (sides[0][0] * sides[1][0] <= 0) p = 1;
  const low = Math.min(...sides.map(([gain, error]) => gain - Z * error));
  const high = Math.max(...sides.map(([gain, error]) => gain + Z * error));
  let differ = 0;
  for (let i = 0; i < model.length; i++) differ += overChosen.some((row) => row[i] !== 0) ? 1 : 0;
  return [{ mean: sides[0][0], low, high, p, differ }, Math.max(...sides.map(([, error]) => error))];
}

/** The least gain that is told from chance four times in five beside so many others.
 * @param {number} error @param {number} tests */
export const detectable = (error, tests) => error * (inverse(1 - (1 - LEVEL) / tests / 2) + inverse(POWER));

/** Labelled queries with which a gain is the least that is told from chance.
 * @param {number} gain @param {number} queries @param {number} error @param {number} tests */
export const labelsNeeded = (gain, queries, error, tests) =>
  Math.max(1, Math.ceil(queries * (detectable(error, tests) / gain) ** 2));
