// Ways to use models, each cross-validated: one model, the best single one, the best of each task, a vote, a cascade.
// As reference_impls/baselines.py, after_inference/majority_vote.py and agreement_cascade.py run on recorded answers.

import { byName, sum } from "./numbers.js";
import { Generator } from "./pcg64.js";
import { textAgreement } from "./stems.js";

/** @typedef {import("./table.js").Table} Table
 * @typedef {{scores: Float64Array[], costs: Float64Array[], latencies: Float64Array[], calls: Float64Array[],
 *   called: Float64Array, learned: boolean}} Tried one array a repetition, one number a query; nan is unknown
 * @typedef {{table: Table, folds: Int32Array[], count: number}} Data `count` folds in each repetition
 * @typedef {{repeat: number, fold: number, tested: number[], train: number[], means: number[], prices: number[],
 *   order: number[], rng: Generator}} Fold `means` and `prices` of the models on the training queries, `order` from the
 *   cheapest model to the most expensive */

const [SAME, BEST] = [1e-9, 1e-12];

/** @param {Data} data @returns {Tried} */
function empty({ table, folds }) {
  const rows = () => folds.map(() => new Float64Array(table.count));
  return {
    scores: rows(), costs: rows(), latencies: rows(), calls: rows(), called: new Float64Array(table.models.length),
    learned: false,
  };
}

/** A model for every query of every repetition. @param {Data} data @param {(repeat: number, query: number) => number}
 * chosen @param {boolean} learned @returns {Tried} */
export function choosing(data, chosen, learned) {
  const made = empty(data);
  const { table, folds } = data;
  const m = table.models.length;
  folds.forEach((_, r) => {
    for (let i = 0; i < table.count; i++) {
      const j = chosen(r, i);
      made.scores[r][i] = table.scores[i * m + j];
      made.costs[r][i] = table.costs[i * m + j];
      made.latencies[r][i] = table.latencies[i * m + j];
      made.calls[r][i] = 1;
      made.called[j]++;
    }
  });
  return { ...made, called: made.called.map((times) => times / (folds.length * table.count)), learned };
}

/** The expectation where each model serves with some probability.
 * @param {Data} data @param {(repeat: number, query: number) => ArrayLike<number>} weights @returns {Tried} */
export function mixed(data, weights) {
  const made = empty(data);
  const { table, folds } = data;
  const m = table.models.length;
  const products = new Float64Array(m);
  folds.forEach((_, r) => {
    for (let i = 0; i < table.count; i++) {
      const shares = weights(r, i);
      for (const [into, values] of /** @type {const} */ ([
        [made.scores, table.scores], [made.costs, table.costs], [made.latencies, table.latencies],
      ])) {
        for (let j = 0; j < m; j++) products[j] = shares[j] * values[i * m + j];
        into[r][i] = sum(products);
      }
      made.calls[r][i] = 1;
      for (let j = 0; j < m; j++) made.called[j] += shares[j];
    }
  });
  return { ...made, called: made.called.map((times) => times / (folds.length * table.count)), learned: true };
}

/** What is known of each fold before a query is tested: all of it from the other folds.
 * @param {Data} data @returns {Fold[]} */
export function foldsOf({ table, folds, count }) {
  const m = table.models.length;
  return folds.flatMap((of, repeat) => Array.from({ length: count }, (_, fold) => {
    /** @type {number[]} */ const tested = [];
    /** @type {number[]} */ const train = [];
    of.forEach((one, i) => (one === fold ? tested : train).push(i));
    const totals = new Float64Array(m);
    for (const i of train) for (let j = 0; j < m; j++) totals[j] += table.scores[i * m + j];
    const means = Array.from(totals, (total) => total / train.length);
    const prices = pricesOf(table, train);
    const order = table.models.map((__, j) => j)
      .sort((a, b) => prices[a] - prices[b] || byName(table.models[a], table.models[b]));
    return { repeat, fold, tested, train, means, prices, order, rng: new Generator([0, 1, repeat, fold]) };
  }));
}

/** Mean cost of each model where it is known, for a million queries; all 0 where of one nothing is known.
 * @param {Table} table @param {number[]} rows */
function pricesOf({ costs, models }, rows) {
  const m = models.length;
  const means = models.map((_, j) => {
    const known = new Float64Array(rows.length);
    let count = 0;
    for (const i of rows) if (!Number.isNaN(costs[i * m + j])) known[count++] = costs[i * m + j];
    return count ? sum(known, 0, count) / count : NaN;
  });
  return means.some(Number.isNaN) ? means.map(() => 0) : means.map((price) => 1e6 * price);
}

/** The first of some candidates by rules; what they leave level a draw decides.
 * @template T @param {T[]} candidates @param {((one: T) => number)[]} rules @param {Generator} rng @returns {T} */
function settled(candidates, rules, rng) {
  for (const rule of rules) {
    if (candidates.length === 1) break;
    const values = candidates.map(rule);
    const largest = Math.max(...values);
    candidates = candidates.filter((_, i) => values[i] >= largest - SAME);
  }
  return candidates.length === 1 ? candidates[0] : candidates[rng.below(candidates.length)];
}

/** The model of each task of the best mean score on the training queries, of equals the cheaper.
 * @param {Data} data @param {Fold[]} folds @returns {Tried} */
export function taskRouter(data, folds) {
  const { table } = data;
  const m = table.models.length;
  const chosen = data.folds.map(() => new Int32Array(table.count));
  for (const { repeat, tested, train, means, prices, order, rng } of folds) {
    const best = (/** @type {number[]} */ utilities) => {
      const largest = Math.max(...utilities);
      const near = order.filter((j) => utilities[j] >= largest - BEST);
      return settled(near, [(j) => -prices[j], (j) => means[j]], rng);
    };
    const overall = best(means);
    /** @type {Map<string, {totals: Float64Array, count: number}>} */
    const tasks = new Map();
    for (const i of train) {
      const task = tasks.get(table.tasks[i]) ?? { totals: new Float64Array(m), count: 0 };
      for (let j = 0; j < m; j++) task.totals[j] += table.scores[i * m + j];
      task.count++;
      tasks.set(table.tasks[i], task);
    }
    /** @type {Map<string, number>} */
    const served = new Map();
    for (const [task, { totals, count }] of tasks) served.set(task, best(Array.from(totals, (total) => total / count)));
    for (const i of tested) chosen[repeat][i] = served.get(table.tasks[i]) ?? overall;
  }
  return choosing(data, (r, i) => chosen[r][i], true);
}

/** The model whose response a vote among some models returns: of the answer that most of them give, of level answers
 * that of the models that are better on the training queries.
 * @param {Table} table @param {number} i @param {readonly number[]} voters @param {Fold} fold */
function voted(table, i, voters, { means, rng }) {
  const at = i * table.models.length;
  const first = (/** @type {readonly number[]} */ of) => of.reduce((best, j) =>
    (byName(table.models[j], table.models[best]) < 0 ? j : best));
  /** @type {Map<string, number[]>} */
  const answers = new Map();
  for (const j of voters) {
    const answer = /** @type {(string | null)[]} */ (table.answers)[at + j];
    if (answer === null) continue;
    const who = answers.get(answer);
    if (who) who.push(j);
    else answers.set(answer, [j]);
  }
  if (!answers.size) {
    const speaking = voters.filter((j) => !table.silent[at + j]);
    return { model: first(speaking.length ? speaking : voters), share: 0 };
  }
  const most = Math.max(...Array.from(answers.values(), (who) => who.length));
  const level = [...answers].filter(([, who]) => who.length === most);
  if (level.length > 1) level.sort((a, b) => byName(a[0], b[0]));
  const [, who] = settled(level, [([, of]) => sum(of.map((j) => means[j])) / of.length], rng);
  return { model: first(who), share: most / voters.length };
}

/** A vote among all models. @param {Data} data @param {Fold[]} folds @returns {Tried} */
export const majorityVote = (data, folds) =>
  cascade(data, folds, (order) => [order], 1);

/** Tiers from the cheapest to the most expensive model: the last alone, the others in even parts of about `size`.
 * @param {readonly number[]} order @param {number} size */
export function tiersOf(order, size = 3) {
  const others = order.slice(0, -1);
  const half = others.length / size;
  const parts = Math.max(half % 1 === 0.5 ? 2 * Math.round(half / 2) : Math.round(half), 1);
  const [small, larger] = [Math.floor(others.length / parts), others.length % parts];
  /** @type {number[][]} */
  const tiers = [];
  for (let k = 0, at = 0; k < parts; k++) {
    const next = at + small + (k < larger ? 1 : 0);
    if (next > at) tiers.push(others.slice(at, next));
    at = next;
  }
  return [...tiers, [order[order.length - 1]]];
}

/** Tiers of models, cheap ones first: a tier whose models agree enough is believed.
 * @param {Data} data @param {Fold[]} folds @param {number} threshold of the share that gives the same answer
 * @returns {Tried} */
export const agreementCascade = (data, folds, threshold = 1) =>
  cascade(data, folds, (order) => tiersOf(order), threshold);

const TEXT_THRESHOLD = 0.3;

/** @param {Data} data @param {Fold[]} folds @param {(order: number[]) => readonly (readonly number[])[]} tiered
 * @param {number} threshold @returns {Tried} */
function cascade(data, folds, tiered, threshold) {
  const { table } = data;
  const m = table.models.length;
  const answers = /** @type {(string | null)[]} */ (table.answers);
  const made = empty(data);
  for (const fold of folds) {
    const tiers = tiered(fold.order);
    const { repeat } = fold;
    for (const i of fold.tested) {
      const at = i * m;
      let [cost, latency, calls, model, last] = [0, 0, 0, -1, -1];
      for (let stage = 0; stage < tiers.length; stage++) {
        const tier = tiers[stage];
        let slowest = 0;
        for (const j of tier) {
          cost += table.costs[at + j];
          slowest = Math.max(slowest, table.latencies[at + j]);
          made.called[j]++;
        }
        latency += slowest;
        calls += tier.length;
        const { model: found, share } = voted(table, i, tier, fold);
        last = found;
        if (!tier.some((j) => answers[at + j] !== null)) continue; // an abstention is never good enough
        model = found;
        if (stage + 1 === tiers.length) break;
        const free = table.kinds[i] === "text" || table.kinds[i] === "list";
        if (free ? textAgreement(tier.map((j) => answers[at + j])) >= TEXT_THRESHOLD - SAME : share >= threshold - SAME) {
          break;
        }
      }
      made.scores[repeat][i] = table.scores[at + (model < 0 ? last : model)];
      made.costs[repeat][i] = cost;
      made.latencies[repeat][i] = latency;
      made.calls[repeat][i] = calls;
    }
  }
  return { ...made, called: made.called.map((times) => times / (data.folds.length * table.count)) };
}
