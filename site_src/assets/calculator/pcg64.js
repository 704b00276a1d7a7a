// The random numbers of NumPy's default generator, so that the page draws what `atlas` draws: PCG64 (O'Neill 2014, a
// 128-bit congruential generator with the output XSL-RR), seeded by NumPy's SeedSequence. 128 bits are four words of
// 32, the lowest first; a product of two words is put together from halves, as doubles hold 53 bits exactly.

/** The factor of the generator, each word in two halves. */
const FACTOR = [0x9fccf645, 0x4385df64, 0x1fc65da4, 0x2360ed05].map((word) => [word, word >>> 16, word & 0xffff]);
const WORD = 2 ** 32;

/** The upper word of a product of two words, the second one as in `FACTOR`.
 * @param {number} a @param {number[]} b */
const upper = (a, b) => Math.floor((a * b[1] + Math.floor((a * b[2]) / 65536)) / 65536);

/** The words that a seed becomes, as NumPy's SeedSequence mixes them.
 * @param {readonly number[]} entropy words @param {number} count */
export function seedWords(entropy, count) {
  let hash = 0x43b0d7e5;
  const hashed = (/** @type {number} */ value) => {
    value ^= hash;
    hash = Math.imul(hash, 0x931e8875);
    value = Math.imul(value, hash);
    return value ^ (value >>> 16);
  };
  const mixed = (/** @type {number} */ x, /** @type {number} */ y) => {
    const made = Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y) | 0;
    return made ^ (made >>> 16);
  };
  const pool = [0, 1, 2, 3].map((i) => hashed(entropy[i] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mixed(pool[to], hashed(pool[from]));
  }
  for (const word of entropy.slice(4)) for (let to = 0; to < 4; to++) pool[to] = mixed(pool[to], hashed(word));
  let out = 0x8b51f9dd;
  return Array.from({ length: count }, (_, i) => {
    let value = pool[i % 4] ^ out;
    out = Math.imul(out, 0x58f38ded);
    value = Math.imul(value, out);
    return (value ^ (value >>> 16)) >>> 0;
  });
}

/** What `numpy.random.default_rng(seed)` draws. */
export class Generator {
  /** @param {number | readonly number[]} seed one word, or several */
  constructor(seed) {
    const words = seedWords(typeof seed === "number" ? [seed] : seed, 8);
    const [state, sequence] = [[words[2], words[3], words[0], words[1]], [words[6], words[7], words[4], words[5]]];
    /** @private */ this.step = sequence.map((word, i) => ((word << 1) | (i ? sequence[i - 1] >>> 31 : 1)) >>> 0);
    /** @private */ this.s0 = 0;
    /** @private */ this.s1 = 0;
    /** @private */ this.s2 = 0;
    /** @private */ this.s3 = 0;
    /** Words of the last draw. @private */ this.high = 0;
    /** @private */ this.low = 0;
    /** The half of a draw that `word` has left. @type {number | null} @private */ this.left = null;
    this.draw();
    const begun = [this.s0, this.s1, this.s2, this.s3];
    let carry = 0;
    for (let i = 0; i < 4; i++) {
      const sum = begun[i] + state[i] + carry;
      begun[i] = sum >>> 0;
      carry = sum >= WORD ? 1 : 0;
    }
    [this.s0, this.s1, this.s2, this.s3] = begun;
    this.draw();
  }

  /** One step: 64 new bits. @private */
  draw() {
    const { s0, s1, s2, s3, step } = this;
    const [f0, f1, f2, f3] = FACTOR;
    let sum = (Math.imul(s0, f0[0]) >>> 0) + step[0];
    const r0 = sum >>> 0;
    sum = (sum >= WORD ? 1 : 0) + upper(s0, f0) + (Math.imul(s0, f1[0]) >>> 0) + (Math.imul(s1, f0[0]) >>> 0) + step[1];
    const r1 = sum >>> 0;
    sum = Math.floor(sum / WORD) + upper(s0, f1) + upper(s1, f0) + (Math.imul(s0, f2[0]) >>> 0)
      + (Math.imul(s1, f1[0]) >>> 0) + (Math.imul(s2, f0[0]) >>> 0) + step[2];
    const r2 = sum >>> 0;
    const r3 = (Math.floor(sum / WORD) + upper(s0, f2) + upper(s1, f1) + upper(s2, f0) + (Math.imul(s0, f3[0]) >>> 0)
      + (Math.imul(s1, f2[0]) >>> 0) + (Math.imul(s2, f1[0]) >>> 0) + (Math.imul(s3, f0[0]) >>> 0) + step[3]) >>> 0;
    this.s0 = r0;
    this.s1 = r1;
    this.s2 = r2;
    this.s3 = r3;
    const turn = r3 >>> 26;
    let [high, low] = [r3 ^ r1, r2 ^ r0];
    if (turn & 32) [high, low] = [low, high];
    const by = turn & 31;
    this.high = (by ? (high >>> by) | (low << (32 - by)) : high) >>> 0;
    this.low = (by ? (low >>> by) | (high << (32 - by)) : low) >>> 0;
  }

  /** A number of [0, 1) with 53 random bits. */
  random() {
    this.draw();
    return (this.high * 2097152 + (this.low >>> 11)) / 9007199254740992;
  }

  /** 32 random bits; a draw gives two. */
  word() {
    if (this.left !== null) {
      const word = this.left;
      this.left = null;
      return word;
    }
    this.draw();
    this.left = this.high;
    return this.low;
  }

  /** A whole number of [0, count), without bias (Lemire 2019). @param {number} count up to 2^32 - 1 */
  below(count) {
    if (count < 2) return 0;
    const wide = [count, count >>> 16, count & 0xffff];
    let word = this.word();
    let rest = Math.imul(word, count) >>> 0;
    if (rest < count) {
      const least = (WORD - count) % count;
      while (rest < least) {
        word = this.word();
        rest = Math.imul(word, count) >>> 0;
      }
    }
    return upper(word, wide);
  }

  /** The numbers 0 to count - 1 in a random order; here NumPy draws as many bits as the largest number has, until they
   * are not more than it. @param {number} count */
  permutation(count) {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const mask = 2 ** (32 - Math.clz32(i)) - 1;
      let j = (this.word() & mask) >>> 0;
      while (j > i) j = (this.word() & mask) >>> 0;
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
