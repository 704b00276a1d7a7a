// What reference_impls/core/learn.py computes of logits.

/** Place of the largest value, the first of equals.
 * @param {ArrayLike<number>} values */
export function argmax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** Log-probabilities.
 * @param {ArrayLike<number>} logits
 * @returns {Float64Array} */
export function logSoftmax(logits) {
  const result = Float64Array.from(logits);
  const largest = result[argmax(result)];
  let sum = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] -= largest;
    sum += Math.exp(result[i]);
  }
  const log = Math.log(sum);
  for (let i = 0; i < result.length; i++) result[i] -= log;
  return result;
}

/** Probabilities.
 * @param {ArrayLike<number>} logits
 * @returns {Float64Array} */
export const softmax = (logits) => logSoftmax(logits).map(Math.exp);

/** Places of the k largest values, the largest first; of equals the first. One walk: it is done at every token.
 * @param {ArrayLike<number>} values
 * @param {number} k
 * @returns {number[]} */
export function largest(values, k) {
  /** @type {number[]} */
  const best = [];
  for (let i = 0; i < values.length; i++) {
    if (best.length === k && !(values[i] > values[best[k - 1]])) continue;
    let at = best.length;
    while (at > 0 && values[i] > values[best[at - 1]]) at -= 1;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, k);
  }
  return best;
}
