// A gain: paired, with a bootstrap interval and the sign-flip test, and adjusted where many are looked at. As
// reference_impls/measuring/comparison.py, whose text says why.

import { multinomial } from "./binomial.js";
import { erfc, inverse } from "./normal.js";
import { quantiles, rint, sum } from "./numbers.js";
import { Generator } from "./pcg64.js";

/** @typedef {{mean: number, low: number, high: number, p: number, differ: number, pAdjusted?: number,
 *   adjusted?: [number, number]}} Gain */

export const LEVEL = 0.95;
const [EXACT, GRID] = [500, 120];

/** The gain of scores over those of a baseline, query by query. @param {Float64Array} scores
 * @param {Float64Array} baseline @param {number} resamples @returns {Gain} */
export function paired(scores, baseline, resamples) {
  const n = scores.length;
  const difference = scores.map((score, i) => {
    const gain = score - baseline[i];
    return Math.abs(gain) < 1e-9 ? 0 : gain;
  });
  const parts = difference.map((gain) => gain / n);
  const [low, high] = interval(difference, resamples);
  return { mean: sum(parts), low, high, p: signFlip(parts), differ: parts.reduce((count, part) => count + (part ? 1 : 0), 0) };
}

/** Percentile interval of a mean: queries of the same difference are drawn together.
 * @param {Float64Array} difference @param {number} resamples */
function interval(difference, resamples) {
  const n = difference.length;
  /** @type {Map<number, number>} */
  const counted = new Map();
  for (const gain of difference) counted.set(gain, (counted.get(gain) ?? 0) + 1);
  const kinds = Float64Array.from(counted.keys());
  const chances = Float64Array.from(counted.values(), (count) => count / n);
  const [rng, drawn, means] = [new Generator(0), new Float64Array(kinds.length), new Float64Array(resamples)];
  for (let i = 0; i < resamples; i++) {
    multinomial(rng, n, chances, drawn);
    let total = 0;
    for (let j = 0; j < kinds.length; j++) total += drawn[j] * kinds[j];
    means[i] = total / n;
  }
  return quantiles(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]);
}

/** Two-sided p of the sum of numbers if the sign of each might as well be the other one. @param {Float64Array} parts */
export function signFlip(parts) {
  let largest = 0;
  for (const part of parts) largest = Math.max(largest, Math.abs(part));
  if (!largest) return 1;
  let [total, unit] = [0, 0];
  /** @type {number[]} */
  const sizes = [];
  for (const part of parts) {
    const step = rint((part / largest) * GRID);
    if (!step) continue;
    total += step;
    sizes.push(Math.abs(step));
    for (let [a, b] = [unit, Math.abs(step)]; ; [a, b] = [b % a, a]) {
      if (!a) {
        unit = b;
        break;
      }
    }
  }
  const observed = Math.floor(Math.abs(total) / unit);
  const steps = sizes.map((size) => Math.floor(size / unit)).sort((a, b) => a - b);
  if (steps.length > EXACT) {
    const squares = steps.reduce((made, size) => made + size * size, 0);
    return erfc(Math.max(0, observed - 1) / Math.sqrt(squares) / Math.SQRT2);
  }
  const whole = steps.reduce((made, size) => made + size, 0);
  const chance = new Float64Array(whole + 1); // of the sum of those with a plus
  chance[0] = 1;
  let reached = 0;
  for (const size of steps) {
    reached += size;
    for (let i = reached; i >= 0; i--) chance[i] = chance[i] * 0.5 + (i >= size ? chance[i - size] * 0.5 : 0);
  }
  let far = 0;
  for (let i = 0; i <= whole; i++) if (Math.abs(2 * i - whole) >= observed) far += chance[i];
  return Math.min(1, far);
}

/** The same gains with p and intervals adjusted to their number (Holm 1979). @param {Gain[]} gains */
export function holm(gains) {
  const [error, count] = [1 - LEVEL, gains.length];
  const made = [...gains];
  let [largest, looked] = [0, count];
  gains.map((_, i) => i).sort((a, b) => gains[a].p - gains[b].p || a - b).forEach((i, place) => {
    const gain = gains[i];
    if (largest <= error) looked = count - place;
    largest = Math.max(largest, Math.min(1, gain.p * (count - place)));
    const wider = inverse(1 - error / looked / 2) / inverse(1 - error / 2);
    made[i] = {
      ...gain, pAdjusted: largest,
      adjusted: [gain.mean - (gain.mean - gain.low) * wider, gain.mean + (gain.high - gain.mean) * wider],
    };
  });
  return made;
}

/** @param {Gain} gain @returns {"better" | "worse" | "no clear difference"} */
export function verdictOf(gain) {
  const p = gain.pAdjusted ?? gain.p;
  const [low, high] = gain.adjusted ?? [gain.low, gain.high];
  if (p > 1 - LEVEL || (low <= 0 && high >= 0)) return "no clear difference";
  return low > 0 ? "better" : "worse";
}
