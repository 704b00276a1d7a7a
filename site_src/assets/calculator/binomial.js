// Binomial and multinomial numbers as NumPy's generator draws them: by inversion where the mean is at most 30, else by
// BTPE (Kachitvichyanukul and Schmeiser 1988, "Binomial random variate generation"). The arithmetic is that of NumPy
// (BSD-3-Clause), term by term, so that the same uniform numbers give the same counts.

/** @typedef {import("./pcg64.js").Generator} Generator */

/** How many of n trials succeed. @param {Generator} rng @param {number} n @param {number} p */
export function binomial(rng, n, p) {
  if (n === 0 || p === 0) return 0;
  if (p <= 0.5) return p * n <= 30 ? inverted(rng, n, p) : squeezed(rng, n, p);
  const q = 1 - p;
  return n - (q * n <= 30 ? inverted(rng, n, q) : squeezed(rng, n, q));
}

/** Sums up the probabilities from 0 on. @param {Generator} rng @param {number} n @param {number} p at most 0.5 */
function inverted(rng, n, p) {
  const q = 1 - p;
  const none = Math.exp(n * Math.log1p(-p));
  const mean = n * p;
  const most = Math.floor(Math.min(n, mean + 10 * Math.sqrt(mean * q + 1)));
  let [count, chance, left] = [0, none, rng.random()];
  while (left > chance) {
    count++;
    if (count > most) [count, chance, left] = [0, none, rng.random()];
    else {
      left -= chance;
      chance = ((n - count + 1) * p * chance) / (count * q);
    }
  }
  return count;
}

/** Draws from a triangle, a parallelogram and two exponential tails above the probabilities, and rejects.
 * @param {Generator} rng @param {number} n @param {number} p at most 0.5 */
function squeezed(rng, n, p) {
  const [r, q] = [p, 1 - p];
  const fm = n * r + r;
  const m = Math.floor(fm);
  const p1 = Math.floor(2.195 * Math.sqrt(n * r * q) - 4.6 * q) + 0.5;
  const xm = m + 0.5;
  const [xl, xr] = [xm - p1, xm + p1];
  const c = 0.134 + 20.5 / (15.3 + m);
  let a = (fm - xl) / (fm - xl * r);
  const left = a * (1 + a / 2);
  a = (xr - fm) / (xr * q);
  const right = a * (1 + a / 2);
  const p2 = p1 * (1 + 2 * c);
  const p3 = p2 + c / left;
  const p4 = p3 + c / right;
  const spread = n * r * q;
  for (;;) {
    const u = rng.random() * p4;
    let v = rng.random();
    if (u <= p1) return Math.floor(xm - p1 * v + u); // the triangle lies below the probabilities
    let y;
    if (u <= p2) {
      const x = xl + (u - p1) / c;
      v = v * c + 1 - Math.abs(m - x + 0.5) / p1;
      if (v > 1) continue;
      y = Math.floor(x);
    } else if (u <= p3) {
      y = Math.floor(xl + Math.log(v) / left);
      if (y < 0 || v === 0) continue;
      v = v * (u - p2) * left;
    } else {
      y = Math.floor(xr - Math.log(v) / right);
      if (y > n || v === 0) continue;
      v = v * (u - p3) * right;
    }
    if (accepted(n, r, q, m, xm, spread, y, v)) return y;
  }
}

/** Whether v lies below the probability of y, in shares of that of m.
 * @param {number} n @param {number} r @param {number} q @param {number} m @param {number} xm @param {number} spread
 * @param {number} y @param {number} v */
function accepted(n, r, q, m, xm, spread, y, v) {
  const k = Math.abs(y - m);
  if (k <= 20 || k >= spread / 2 - 1) {
    const s = r / q;
    const a = s * (n + 1);
    let f = 1;
    for (let i = m + 1; i <= y; i++) f *= a / i - s;
    for (let i = y + 1; i <= m; i++) f /= a / i - s;
    return v <= f;
  }
  const rho = (k / spread) * ((k * (k / 3 + 0.625) + 0.16666666666666666) / spread + 0.5);
  const t = (-k * k) / (2 * spread);
  const log = Math.log(v);
  if (log < t - rho) return true;
  if (log > t + rho) return false;
  const [x1, f1, z, w] = [y + 1, m + 1, n + 1 - m, n - y + 1];
  return log <= xm * Math.log(f1 / x1) + (n - m + 0.5) * Math.log(z / w) + (y - m) * Math.log((w * r) / (x1 * q))
    + stirling(f1) + stirling(z) + stirling(x1) + stirling(w);
}

/** @param {number} x */
function stirling(x) {
  const square = x * x;
  return (13680 - (462 - (132 - (99 - 140 / square) / square) / square) / square) / x / 166320;
}

/** How often each of several things is drawn in n draws, into `counts`.
 * @param {Generator} rng @param {number} n @param {ArrayLike<number>} chances @param {Float64Array} counts */
export function multinomial(rng, n, chances, counts) {
  counts.fill(0);
  let [left, remaining] = [n, 1];
  for (let j = 0; j < chances.length - 1; j++) {
    counts[j] = binomial(rng, left, chances[j] / remaining);
    left -= counts[j];
    if (left <= 0) return;
    remaining -= chances[j];
  }
  counts[chances.length - 1] = left;
}
