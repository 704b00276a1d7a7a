// What a pool of models has to offer, before any method is run. As reference_impls/measuring/preflight.py, whose text
// says what each number means; the page and `atlas preflight` give the same ones.

import { paired } from "./comparison.js";
import { inverse } from "./normal.js";
import { mean, rint, sum } from "./numbers.js";
import { Generator } from "./pcg64.js";

/** @typedef {import("./table.js").Table} Table
 * @typedef {{score: number, gain: number, low: number, high: number}} Room
 * @typedef {{models: string[], queries: number, scores: number[], costs: number[] | null, best: string, oracle: Room,
 *   tasks: number, taskHindsight: Room | null, taskChosen: Room | null, plurality: Room | null,
 *   correlation: (number | null)[][], meanCorrelation: number | null, effective: number | null, agreement: number,
 *   disagree: number, differ: number, needed: [number, number][], sentence: string}} Preflight */

export const GAINS = [0.01, 0.02, 0.05];
const [ERROR, POWER, HALVINGS, RESAMPLES] = [0.05, 0.8, 10, 500];
const [NONE, LITTLE] = [0.01, 0.03];
const NUMBERS = ["", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/** @param {Table} table queries that all models have a score for @param {readonly number[]} gains
 * @returns {Preflight} */
export function preflight(table, gains = GAINS) {
  const { models, scores, count } = table;
  const m = models.length;
  const paid = table.costs.some(Number.isNaN) ? null : means(table.costs, count, m);
  const alone = means(scores, count, m);
  const best = models.map((_, j) => j)
    .sort((a, b) => alone[b] - alone[a] || (paid ? paid[a] - paid[b] : 0) || a - b)[0];
  const single = column(scores, best, count, m);
  const answered = table.answers?.some((answer) => answer !== null) ? table.answers : null;
  const correlation = correlations(scores, alone, count, m);
  const known = correlation.flatMap((row, i) => row.slice(i + 1)).filter((value) => value !== null);
  const together = known.length ? sum(known) / known.length : null;
  const differ = m > 1 ? differing(scores, best, count, m) : 0;
  const same = agreeing(scores, answered, count, m);
  const tops = Float64Array.from({ length: count }, (_, i) => {
    let top = -Infinity;
    for (let j = 0; j < m; j++) top = Math.max(top, scores[i * m + j]);
    return top;
  });
  const [taskHindsight, taskChosen] = byTask(table, single);
  const found = {
    models, queries: count, scores: alone, costs: paid, best: models[best], oracle: over(tops, single),
    tasks: new Set(table.tasks).size, taskHindsight, taskChosen,
    plurality: answered ? over(plurality(scores, answered, single, alone, count, m), single) : null,
    correlation, meanCorrelation: together, effective: together === null ? null : effectiveNumber(m, together),
    agreement: mean(same), disagree: same.filter((share) => share < 1).length / same.length, differ,
    needed: gains.map((gain) => /** @type {[number, number]} */ ([gain, needed(gain, differ)])), sentence: "",
  };
  return { ...found, sentence: sentence(found) };
}

/** Mean of every column, added row by row. @param {Float64Array} values @param {number} n @param {number} m */
export function means(values, n, m) {
  const totals = new Array(m).fill(0);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) totals[j] += values[i * m + j];
  return totals.map((total) => total / n);
}

/** @param {Float64Array} values @param {number} j @param {number} n @param {number} m */
export const column = (values, j, n, m) => Float64Array.from({ length: n }, (_, i) => values[i * m + j]);

/** Independent models that n models of a mean error correlation are worth. @param {number} n @param {number} r */
export function effectiveNumber(n, r) {
  const spread = 1 + (n - 1) * r;
  return spread > 1e-9 ? n / spread : Infinity;
}

/** Queries that a paired test needs to find a gain. @param {number} gain @param {number} differ */
export function needed(gain, differ) {
  const z = inverse(1 - ERROR / 2) + inverse(POWER);
  return Math.max(1, Math.ceil((z ** 2 * Math.max(differ - gain ** 2, 0)) / gain ** 2));
}

/** @param {Float64Array} values @param {Float64Array} alone @returns {Room} */
function over(values, alone) {
  const gain = paired(values, alone, RESAMPLES);
  return { score: mean(values), gain: gain.mean, low: gain.low, high: gain.high };
}

/** @param {Float64Array} scores @param {number[]} alone @param {number} n @param {number} m */
function correlations(scores, alone, n, m) {
  const products = new Float64Array(m * m);
  const row = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) row[j] = scores[i * m + j] - alone[j];
    for (let j = 0; j < m; j++) for (let k = j; k < m; k++) products[j * m + k] += row[j] * row[k];
  }
  const spread = alone.map((_, j) => Math.sqrt(products[j * m + j]));
  return alone.map((_, j) => alone.map((__, k) => {
    if (j === k) return 1;
    if (spread[j] < 1e-9 || spread[k] < 1e-9) return null;
    const [a, b] = j < k ? [j, k] : [k, j];
    return Math.max(-1, Math.min(1, products[a * m + b] / (spread[j] * spread[k])));
  }));
}

/** Mean squared difference of the other models to the best one.
 * @param {Float64Array} scores @param {number} best @param {number} n @param {number} m */
function differing(scores, best, n, m) {
  let total = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) total += (scores[i * m + j] - scores[i * m + best]) ** 2;
  return total / (n * (m - 1));
}

/** A router on the task, in hindsight and chosen on the other half.
 * @param {Table} table @param {Float64Array} alone @returns {[Room | null, Room | null]} */
function byTask({ scores, models, tasks, count }, alone) {
  const m = models.length;
  const { kinds, of } = numbered(tasks);
  const sizes = new Int32Array(kinds);
  for (const task of of) sizes[task]++;
  if (kinds < 2 || m < 2 || Math.max(...sizes) < 2) return [null, null];

  const chosen = (/** @type {ArrayLike<number>} */ rows) => {
    const totals = new Float64Array(kinds * m);
    const overall = new Float64Array(m);
    for (let r = 0; r < rows.length; r++) {
      const at = rows[r] * m;
      const to = of[rows[r]] * m;
      for (let j = 0; j < m; j++) {
        totals[to + j] += scores[at + j];
        overall[j] += scores[at + j];
      }
    }
    for (let j = 0; j < m; j++) overall[j] /= rows.length;
    const first = (/** @type {(j: number) => number} */ value) => {
      let best = 0;
      for (let j = 1; j < m; j++) if (value(j) > value(best)) best = j;
      return best;
    };
    return {
      byTask: Array.from({ length: kinds }, (_, k) => first((j) => totals[k * m + j] + 1e-3 * overall[j])),
      best: first((j) => overall[j]),
    };
  };

  const every = Int32Array.from({ length: count }, (_, i) => i);
  const all = chosen(every).byTask;
  const hindsight = Float64Array.from(every, (i) => scores[i * m + all[of[i]]]);
  const rng = new Generator(0);
  const [routed, single] = [new Float64Array(count), new Float64Array(count)];
  for (let h = 0; h < HALVINGS; h++) {
    const order = rng.permutation(count);
    const halves = [order.filter((_, i) => i % 2 === 0), order.filter((_, i) => i % 2 === 1)];
    for (const [learned, tested] of [halves, [halves[1], halves[0]]]) {
      const found = chosen(learned);
      for (const i of tested) {
        routed[i] += scores[i * m + found.byTask[of[i]]];
        single[i] += scores[i * m + found.best];
      }
    }
  }
  return [over(hindsight, alone), over(routed.map((v) => v / HALVINGS), single.map((v) => v / HALVINGS))];
}

/** A number for each task, whatever its order. @param {string[]} tasks */
export function numbered(tasks) {
  /** @type {Map<string, number>} */
  const known = new Map();
  const of = Int32Array.from(tasks, (task) => {
    const found = known.get(task) ?? known.size;
    known.set(task, found);
    return found;
  });
  return { kinds: known.size, of, names: [...known.keys()] };
}

/** Score of the answer that most models give. @param {Float64Array} scores @param {(string | null)[]} answers
 * @param {Float64Array} single @param {number[]} alone @param {number} n @param {number} m */
function plurality(scores, answers, single, alone, n, m) {
  return Float64Array.from({ length: n }, (_, i) => {
    /** @type {Map<string, number[]>} */
    const voters = new Map();
    for (let j = 0; j < m; j++) {
      const answer = answers[i * m + j];
      if (answer === null) continue;
      const who = voters.get(answer);
      if (who) who.push(j);
      else voters.set(answer, [j]);
    }
    if (!voters.size) return single[i];
    let [most, merit] = [0, -1];
    /** @type {number[][]} */
    let level = [];
    for (const who of voters.values()) {
      if (who.length < most) continue;
      const merits = rint(mean(who.map((j) => alone[j])) * 1e9) / 1e9;
      if (who.length > most || merits > merit) [most, merit, level] = [who.length, merits, [who]];
      else if (merits === merit) level.push(who);
    }
    return mean(level.map((who) => mean(who.map((j) => scores[i * m + j]))));
  });
}

/** Share of the pairs of responses that agree, a query.
 * @param {Float64Array} scores @param {(string | null)[] | null} answers @param {number} n @param {number} m */
function agreeing(scores, answers, n, m) {
  if (m === 1) return new Float64Array(n).fill(1);
  /** @type {number[]} */
  const shares = [];
  for (let i = 0; i < n; i++) {
    /** @type {Map<string | number, number>} */
    const counts = new Map();
    for (let j = 0; j < m; j++) {
      const said = answers ? answers[i * m + j] : rint(scores[i * m + j] * 1e6) / 1e6;
      if (said !== null) counts.set(said, (counts.get(said) ?? 0) + 1);
    }
    if (answers && !counts.size) continue;
    let pairs = 0;
    for (const k of counts.values()) pairs += k * (k - 1);
    shares.push(pairs / (m * (m - 1)));
  }
  return Float64Array.from(shares);
}

const points = (/** @type {number} */ gain) => `${(100 * gain).toFixed(1)} points`;

/** @param {string} what @param {Room} room */
function told(what, room) {
  const gain = `${room.gain < 0 ? "" : "+"}${points(room.gain)}`;
  if ((room.low <= 0 && room.high >= 0) || Math.abs(room.gain) < NONE) return `${what} has no room (${gain})`;
  if (room.gain < 0) return `${what} loses (${gain})`;
  return `${what} has ${room.gain < LITTLE ? "little " : ""}room (${gain})`;
}

/** The numbers in one plain sentence. @param {Preflight} found */
function sentence(found) {
  const n = found.models.length;
  if (n === 1) return "One model alone: there is nothing to combine.";
  const who = `these ${NUMBERS[n] ?? n} models`;
  if (found.oracle.gain < NONE) {
    return `On these queries ${found.best} leaves ${who} next to nothing to add: the oracle is `
      + `${points(found.oracle.gain)} above it.`;
  }
  const together = found.meanCorrelation === null || found.effective === null
    ? `of ${who} too few ever err to say whether they err together`
    : found.meanCorrelation <= 0 ? `${who} do not err together`
      : `${who} err together as if they were ${found.effective.toFixed(1)}`;
  const voting = found.plurality ? told("voting", found.plurality)
    : "whether voting has room is not known, as no answers can be compared";
  const routing = found.taskChosen ? told("routing by task", found.taskChosen)
    : found.tasks < 2 ? "there is one task, so nothing to route by it"
      : "the tasks have too few queries to say what routing by them brings";
  return `${together[0].toUpperCase()}${together.slice(1)}; the oracle is ${points(found.oracle.gain)} above `
    + `${found.best}, ${voting}, and ${routing}.`;
}
