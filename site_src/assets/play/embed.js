// A text as a vector: hashed n-grams weighed by rarity, and for the router reduced
// (Embedder and LatentEmbedder of reference_impls/core/embedding.py, whose arithmetic modulo 2^64 BigInt repeats).

const wrap = (/** @type {bigint} */ value) => BigInt.asUintN(64, value);
const [A, B, C] = [0x9E3779B185EBCA87n, 0xC2B2AE3D27D4EB4Fn, 0x165667B19E3779F9n];
const PRIME = 0x100000001B3n;
const POWERS = [PRIME];
while (POWERS.length < 64) POWERS.push(wrap(POWERS[POWERS.length - 1] * PRIME));

const [BLANK, LETTER, DIGIT, SYMBOL] = [0, 1, 2, 3];
const NUMBER_WEIGHT = 0.3;

/** @param {number} byte */
function kindOf(byte) {
  if (byte >= 128 || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)) return LETTER;
  if (byte >= 48 && byte <= 57) return DIGIT;
  return byte <= 32 ? BLANK : SYMBOL;
}
const lower = (/** @type {number} */ byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

/** Hashes of a text's n-grams (character trigrams, words, pairs of words) and of its numbers.
 * @param {string} text */
export function hashes(text) {
  const data = [2, 2, ...new TextEncoder().encode(text), 3];
  const kinds = data.map(kindOf);
  // All digits alike: which numbers stand in a problem says little, that some do says much.
  const letters = data.map((byte) => BigInt(kindOf(byte) === DIGIT ? 48 : lower(byte)));
  const grams = [];
  for (let i = 0; i + 2 < data.length; i++) grams.push(wrap(letters[i] * A + letters[i + 1] * B + letters[i + 2] * C));
  /** @type {{spelt: bigint, exact: bigint, kind: number}[]} */
  const words = [];
  let place = 0;
  for (let i = 1; i < data.length; i++) {
    if (kinds[i] === BLANK) continue;
    if (kinds[i] !== kinds[i - 1] || kinds[i] === SYMBOL) {
      words.push({ spelt: 0n, exact: 0n, kind: kinds[i] });
      place = 0;
    }
    const word = words[words.length - 1];
    word.spelt = wrap(word.spelt + letters[i] * POWERS[place & 63]);
    word.exact = wrap(word.exact + BigInt(lower(data[i])) * POWERS[place & 63]);
    place += 1;
  }
  const spelt = words.map((word) => word.spelt ^ (word.spelt >> 29n));
  grams.push(...spelt.map((word) => wrap(word * C)));
  for (let i = 0; i + 1 < spelt.length; i++) grams.push(wrap(spelt[i] * A + spelt[i + 1] * B + C));
  const numbers = words.filter((word) => word.kind === DIGIT).map((word) => wrap((word.exact ^ (word.exact >> 31n)) + C));
  return { grams, numbers };
}

/** @typedef {{size: number, seen: number[], idf: number[], width: number}} Axes of the reduction: which of the `size`
 *   dimensions training prompts have, how rare each of those is, and how many dimensions are left */

/** A unit vector.
 * @param {string} text
 * @param {Axes} axes
 * @param {Float32Array} values of the axes, [seen, width]
 * @returns {Float64Array} */
export function embedded(text, { size, seen, idf, width }, values) {
  const all = counts(text, size);
  const result = new Float64Array(width);
  seen.forEach((place, i) => {
    const count = all[place];
    if (!count) return;
    const weight = Math.log1p(count) * idf[i];
    for (let d = 0; d < width; d++) result[d] += weight * values[i * width + d];
  });
  return unit(result);
}

/** A unit vector of n-grams weighed by rarity (Embedder of the same file in Python).
 * @param {string} text
 * @param {number} size
 * @param {number[]} idf how rare each dimension is */
export const tfidf = (text, size, idf) => unit(counts(text, size).map((count, i) => Math.log1p(count) * idf[i]));

/** How often the n-grams of a text fall into each dimension; numbers count less.
 * @param {string} text
 * @param {number} size */
function counts(text, size) {
  const result = new Float64Array(size);
  const { grams, numbers } = hashes(text);
  for (const [found, weight] of /** @type {[bigint[], number][]} */ ([[grams, 1], [numbers, NUMBER_WEIGHT]])) {
    for (const hash of found) {
      let mixed = wrap(hash * A);
      mixed = wrap((mixed ^ (mixed >> 32n)) * B);
      result[Number(((mixed >> 32n) * BigInt(size)) >> 32n)] += weight;
    }
  }
  return result;
}

/** @param {Float64Array} vector */
function unit(vector) {
  const length = Math.max(Math.hypot(...vector), 1e-12);
  return vector.map((value) => value / length);
}

/** Numbers of half precision.
 * @param {Uint8Array} bytes little-endian
 * @returns {Float32Array} */
export function halves(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, i) => {
    const half = view.getUint16(2 * i, true);
    const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  });
}
