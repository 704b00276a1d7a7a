// What was tried beside what it has to beat, and what to use: one model, unless something is clearly better, or as
// good at clearly less cost. As reference_impls/advising/comparisons.py and verdict.py, whose text says why.

import { holm, verdictOf } from "./comparison.js";
import { FOLDS, deal, repeatsOf } from "./folds.js";
import { Z, crossed, detectable, gainOf, labelsNeeded, minus } from "./gains.js";
import { byName, mean, quantiles, sum } from "./numbers.js";
import { GAINS, column } from "./preflight.js";
import { agreementCascade, choosing, foldsOf, majorityVote, mixed, taskRouter } from "./ways.js";

/** @typedef {import("./table.js").Table} Table
 * @typedef {import("./ways.js").Tried} Tried
 * @typedef {import("./ways.js").Data} Data
 * @typedef {import("./comparison.js").Gain} Gain
 * @typedef {{name: string, kind: "model" | "method" | "baseline", score: number, cost: number | null,
 *   latency: {median: number | null, high: number | null}, calls: number, called: number[], gain: Gain, error: number,
 *   overModel: number, verdict: string, saves: boolean}} Row costs in US dollars a query, latencies in seconds; `saves`
 *   where it costs clearly less than the best single model
 * @typedef {{kind: "model" | "method", name: string, why: string, sentences: string[]}} Verdict
 * @typedef {{queries: number, folds: number, repeats: number, tests: number, model: string, baseline: Row, rows: Row[],
 *   verdict: Verdict, withoutAnswers: boolean}} Advice */

/** @typedef {Omit<Row, "verdict" | "saves"> & {tried: Tried}} Held */

export const BEST = "best single model";
const [SAVED, PER] = [0.1, 1000];

/** @param {Table} table of FOLDS queries or more @param {{margin?: number, threshold?: number}} options the margin in
 * shares of 1 @returns {Advice} */
export function advise(table, { margin = 0.01, threshold = 1 } = {}) {
  const [n, m] = [table.count, table.models.length];
  const data = { table, folds: deal(table.tasks, repeatsOf(n)), count: FOLDS };
  const folds = foldsOf(data);
  /** @type {[string, "model" | "method" | "baseline", Tried][]} */
  const tried = table.models.map((name, j) => [name, "model", choosing(data, () => j, false)]);
  tried.push(...references(data, folds));
  tried.push(["task-router", "method", taskRouter(data, folds)]);
  if (table.answers) {
    tried.push(["majority-vote", "method", majorityVote(data, folds)]);
    tried.push(["agreement-cascade", "method", agreementCascade(data, folds, threshold)]);
  }
  const single = bestSingle(data, folds);
  const top = chosenOn(table, Array.from({ length: n }, (_, i) => i));
  const alone = column(table.scores, top, n, m);
  const held = (/** @type {string} */ name, /** @type {Row["kind"]} */ kind, /** @type {Tried} */ made) => {
    const [gain, error] = gainOf(made.scores, single.scores, alone, FOLDS, made.learned);
    const costs = mean(made.costs.map(mean));
    return /** @type {Held} */ ({
      name, kind, score: mean(made.scores.map(mean)), cost: Number.isNaN(costs) ? null : costs, latency: latencies(made),
      calls: mean(made.calls.map(mean)), called: [...made.called], gain, error, tried: made,
      overModel: crossed(minus(made.scores, made.scores.map(() => alone)), FOLDS, false)[0],
    });
  };
  const rows = tried.map(([name, kind, made]) => held(name, kind, made));
  const judged = rows.filter((row) => row.kind !== "baseline");
  holm(judged.map((row) => row.gain)).forEach((gain, i) => {
    judged[i].gain = gain;
  });
  const baseline = held(BEST, "baseline", single);
  rows.sort((a, b) => b.score - a.score || Number(a.cost === null) - Number(b.cost === null)
    || (a.cost ?? 0) - (b.cost ?? 0) || byName(a.name, b.name));
  const found = { baseline, rows, model: table.models[top], tests: judged.length };
  const finish = (/** @type {Held} */ { tried: made, ...row }) => ({
    ...row, verdict: verdictOf(row.gain), saves: saves({ ...row, tried: made }, baseline),
  });
  return {
    queries: n, folds: FOLDS, repeats: data.folds.length, tests: judged.length, model: found.model,
    baseline: finish(baseline), rows: rows.map(finish), verdict: decide(found, n, margin),
    withoutAnswers: !table.answers,
  };
}

/** @param {Tried} made */
function latencies(made) {
  const all = new Float64Array(made.latencies.length * made.latencies[0].length);
  made.latencies.forEach((row, r) => all.set(row, r * row.length));
  if (all.some(Number.isNaN)) return { median: null, high: null };
  const [median, high] = quantiles(all, [0.5, 0.95]);
  return { median, high };
}

/** Mean of a column over some queries. @param {Float64Array} values @param {number[]} rows @param {number} j
 * @param {number} m */
function meanOf(values, rows, j, m) {
  const picked = new Float64Array(rows.length);
  for (let k = 0; k < rows.length; k++) picked[k] = values[rows[k] * m + j];
  return sum(picked) / rows.length;
}

/** The model of the best mean score on some queries, of equals the cheaper. @param {Table} table
 * @param {number[]} rows */
function chosenOn(table, rows) {
  const m = table.models.length;
  const of = (/** @type {Float64Array} */ values, /** @type {number} */ j) => meanOf(values, rows, j, m);
  const [scores, costs] = [table.scores, table.costs].map((values) => table.models.map((_, j) => of(values, j)));
  const priced = !costs.some(Number.isNaN);
  return table.models.map((_, j) => j)
    .sort((a, b) => scores[b] - scores[a] || (priced ? costs[a] - costs[b] : 0) || a - b)[0];
}

/** @param {Data} data @param {import("./ways.js").Fold[]} folds */
function bestSingle(data, folds) {
  const chosen = folds.map(({ train }) => chosenOn(data.table, train));
  return choosing(data, (r, i) => chosen[r * data.count + data.folds[r][i]], true);
}

/** The oracle, and the expectation of choices at random.
 * @param {Data} data @param {import("./ways.js").Fold[]} folds @returns {[string, "baseline", Tried][]} */
function references(data, folds) {
  const { table } = data;
  const m = table.models.length;
  const priced = !table.costs.some(Number.isNaN);
  const cost = (/** @type {number} */ i, /** @type {number} */ j) => (priced ? table.costs[i * m + j] : j);
  const oracle = Int32Array.from({ length: table.count }, (_, i) => {
    const scores = table.scores.subarray(i * m, (i + 1) * m);
    const largest = Math.max(...scores);
    let best = -1;
    for (let j = 0; j < m; j++) {
      if (scores[j] >= largest - 1e-9 && (best < 0 || cost(i, j) < cost(i, best))) best = j;
    }
    return best;
  });
  const even = new Float64Array(m).fill(1 / m);
  /** @type {[string, "baseline", Tried][]} */
  const made = [
    ["oracle", "baseline", choosing(data, (_, i) => oracle[i], false)],
    ["random", "baseline", mixed(data, () => even)],
  ];
  if (priced) {
    const weights = folds.map(({ train, means }) => {
      const costs = table.models.map((_, j) => meanOf(table.costs, train, j, m));
      const shares = new Float64Array(m);
      for (const j of coinPair(means, costs)) shares[j] += 0.5;
      return shares;
    });
    made.push(["coin", "baseline", mixed(data, (r, i) => weights[r * data.count + data.folds[r][i]])]);
  }
  return made;
}

/** The best model, and of those that cost less the one that gives up least for what it saves.
 * @param {number[]} scores @param {number[]} costs @returns {[number, number]} */
function coinPair(scores, costs) {
  const models = scores.map((_, j) => j);
  const best = [...models].sort((a, b) => scores[b] - scores[a] || costs[a] - costs[b] || a - b)[0];
  const lost = (/** @type {number} */ j) => (scores[best] - scores[j]) / (costs[best] - costs[j]);
  const cheaper = models.filter((j) => costs[j] < costs[best])
    .sort((a, b) => lost(a) - lost(b) || costs[a] - costs[b] || a - b);
  return cheaper.length ? [cheaper[0], best] : [best, best];
}

const ends = (/** @type {{gain: Gain}} */ { gain }) => gain.adjusted ?? [gain.low, gain.high];

/** Whether its costs lie below nine tenths of the baseline's, by their interval. @param {Held} row
 * @param {Held} baseline */
function saves(row, baseline) {
  if (row.cost === null || !baseline.cost) return false;
  const saved = row.tried.costs.map((costs, r) => costs.map((cost, i) => cost - (1 - SAVED) * baseline.tried.costs[r][i]));
  const [centre, error] = crossed(saved, FOLDS, true);
  return centre + Z * error < 0;
}

/** @param {{baseline: Held, rows: Held[], model: string, tests: number}} found @param {number} queries
 * @param {number} margin @returns {Verdict} */
function decide(found, queries, margin) {
  const usable = found.rows.filter((row) => row.kind !== "baseline");
  const winners = usable.filter((row) => verdictOf(row.gain) === "better");
  const first = (/** @type {Held[]} */ rows, /** @type {((row: Held) => number)[]} */ keys) => rows.reduce((best, row) => {
    const key = keys.find((one) => one(row) !== one(best));
    return key && key(row) < key(best) ? row : best;
  });
  const unknown = (/** @type {Held} */ row) => Number(row.cost === null);
  const cost = (/** @type {Held} */ row) => row.cost ?? 0;
  const kindOf = (/** @type {Held} */ row) => (row.kind === "model" ? "model" : "method");
  if (winners.length) {
    const largest = Math.max(...winners.map((row) => row.gain.mean));
    const near = winners.filter((row) => row.gain.mean >= largest - margin);
    const chosen = first(near, [unknown, cost, (row) => -row.gain.mean]);
    return { kind: kindOf(chosen), name: chosen.name, why: "better", sentences: [better(chosen, found), ...beside(chosen, found)] };
  }
  const saving = usable.filter((row) => ends(row)[0] >= -margin && saves(row, found.baseline));
  if (saving.length) {
    const chosen = first(saving, [cost, (row) => -row.score]);
    const sentences = [cheaper(chosen, found, margin), ...beside(chosen, found)];
    return { kind: kindOf(chosen), name: chosen.name, why: "as good and cheaper", sentences };
  }
  const sentences = [byDefault(found, usable, margin), ...few(usable, queries, found.tests)];
  return { kind: "model", name: found.model, why: "default", sentences };
}

const signed = (/** @type {number} */ share) => `${share < 0 ? "" : "+"}${(100 * share).toFixed(1)}`;
const within = (/** @type {number} */ share) => {
  const points = Number((100 * share).toPrecision(6));
  return `${points} point${points === 1 ? "" : "s"}`;
};
const use = (/** @type {Held} */ row) => `Use ${row.name}${row.kind === "model" ? " alone" : ""}`;
const interval = (/** @type {Held} */ row) => `95 % interval ${signed(ends(row)[0])} to ${signed(ends(row)[1])}, adjusted`;
const times = (/** @type {Held} */ row, /** @type {Held} */ baseline) => (row.cost === null || !baseline.cost
  ? "at a cost that is not known" : `at ${(row.cost / baseline.cost).toFixed(2)} times its cost`);

/** @typedef {{baseline: Held, model: string, tests: number}} Found */

/** @param {Held} row @param {Found} found */
const better = (row, found) => `${use(row)}: ${signed(row.gain.mean)} points over the best single model (${interval(row)} `
  + `to ${found.tests} comparisons), ${times(row, found.baseline)}.`;

/** @param {Held} row @param {Found} found @param {number} margin */
const cheaper = (row, found, margin) => `${use(row)}: it is as good as the best single model within ${within(margin)} `
  + `(${signed(row.gain.mean)} points, ${interval(row)} to ${found.tests} comparisons), ${times(row, found.baseline)}.`;

/** What else one should know of what is advised. @param {Held} row @param {Found} found */
function beside(row, found) {
  const told = [];
  if (found.model !== row.name) {
    told.push(`Over ${found.model}, the best single model in hindsight, it gains ${signed(row.overModel)} points; the `
      + "interval holds for both.");
  }
  if (row.name === "task-router") told.push("It has to be told the task of every query.");
  return told;
}

/** @param {Found} found @param {Held[]} usable @param {number} margin */
function byDefault(found, usable, margin) {
  const methods = usable.filter((row) => row.kind === "method").length;
  const subject = methods > 1 ? `None of the ${methods} ways that were tried is` : "The one way that could be tried is not";
  return `Use one model: ${found.model}. ${subject} clearly better, nor as good within ${within(margin)} at clearly less `
    + "cost.";
}

/** What the labels cannot tell. @param {Held[]} usable @param {number} queries @param {number} tests */
function few(usable, queries, tests) {
  const methods = usable.filter((row) => row.kind === "method" && row.gain.differ);
  if (!methods.length) return [];
  const ahead = (/** @type {Held} */ row) => Math.min(row.gain.mean, row.overModel);
  const unclear = methods.filter((row) => ahead(row) > 0 && verdictOf(row.gain) !== "better");
  const leading = unclear.reduce((best, row) => (!best || ahead(row) > ahead(best) ? row : best),
    /** @type {Held | null} */ (null));
  const error = leading ? leading.error : quantiles(methods.map((row) => row.error), [0.5])[0];
  const told = [`With ${queries.toLocaleString("en")} labelled queries a gain below `
    + `${(100 * detectable(error, tests)).toFixed(1)} points is not told from chance beside so many others.`];
  if (leading) {
    const more = labelsNeeded(ahead(leading), queries, error, tests) - queries;
    told.push(more > 0
      ? `${leading.name} leads by ${(100 * ahead(leading)).toFixed(1)} points; about ${more.toLocaleString("en")} more `
        + "labelled queries would tell whether that is more than chance."
      : `${leading.name} leads by ${(100 * ahead(leading)).toFixed(1)} points, which is not clear.`);
  }
  return told;
}

export { GAINS, PER };
