// The folds of a cross-validation, as `atlas recommend` deals them (reference_impls/advising/labelled.py).

import { byName } from "./numbers.js";
import { Generator } from "./pcg64.js";
import { numbered } from "./preflight.js";

export const FOLDS = 5;
const [REPEATS, MANY] = [5, 3000];

/** How often so many queries are dealt out. @param {number} count */
export const repeatsOf = (count) => (count > MANY ? 1 : REPEATS);

/** The fold that each query is tested in, one array a repetition: every task is spread evenly over the folds.
 * @param {string[]} tasks @param {number} repeats @param {number} seed */
export function deal(tasks, repeats, seed = 0) {
  const { of, names } = numbered(tasks);
  const rank = new Int32Array(names.length);
  names.map((_, i) => i).sort((a, b) => byName(names[a], names[b])).forEach((task, place) => {
    rank[task] = place;
  });
  const rng = new Generator(seed);
  return Array.from({ length: repeats }, () => {
    const random = Float64Array.from(tasks, () => rng.random());
    const order = Int32Array.from(tasks, (_, i) => i)
      .sort((a, b) => rank[of[a]] - rank[of[b]] || random[a] - random[b] || a - b);
    const folds = new Int32Array(tasks.length);
    order.forEach((query, place) => {
      folds[query] = place % FOLDS;
    });
    return folds;
  });
}
