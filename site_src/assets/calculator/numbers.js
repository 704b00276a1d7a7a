// Sums, means and quantiles with the rounding of NumPy, where a rounding could decide between equals.

/** @typedef {ArrayLike<number>} Numbers */

/** The sum as NumPy adds numbers that stand side by side: in pairs of halves.
 * @param {Numbers} values
 * @returns {number} */
export function sum(values, begin = 0, count = values.length) {
  if (count < 8) {
    let total = 0;
    for (let i = 0; i < count; i++) total += values[begin + i];
    return total;
  }
  if (count <= 128) {
    const parts = Array.from({ length: 8 }, (_, j) => values[begin + j]);
    let i = 8;
    for (; i < count - (count % 8); i += 8) for (let j = 0; j < 8; j++) parts[j] += values[begin + i + j];
    const [a, b, c, d, e, f, g, h] = parts;
    let total = ((a + b) + (c + d)) + ((e + f) + (g + h));
    for (; i < count; i++) total += values[begin + i];
    return total;
  }
  let half = Math.floor(count / 2);
  half -= half % 8;
  return /** @type {number} */ (sum(values, begin, half)) + /** @type {number} */ (sum(values, begin + half, count - half));
}

/** @param {Numbers} values @returns {number} */
export const mean = (values) => sum(values) / values.length;

/** Quantiles, linear between neighbours. @param {Numbers} values @param {number[]} shares */
export function quantiles(values, shares) {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    const [a, b] = [sorted[low], sorted[Math.min(low + 1, sorted.length - 1)]];
    const part = place - low;
    return part >= 0.5 ? b - (b - a) * (1 - part) : a + (b - a) * part;
  });
}

/** The nearest whole number, of halves the even one. @param {number} value */
export function rint(value) {
  const low = Math.floor(value);
  const part = value - low;
  if (part !== 0.5) return part < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** Order of two names, by code points. @param {string} a @param {string} b */
export function byName(a, b) {
  const [one, other] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const difference = /** @type {number} */ (one[i].codePointAt(0)) - /** @type {number} */ (other[i].codePointAt(0));
    if (difference) return difference;
  }
  return one.length - other.length;
}
