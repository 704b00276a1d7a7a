// What is computed with: scores, costs, latencies and answers of some models to some queries. Which queries are used
// is decided as `atlas preflight` and `atlas recommend` decide it (reference_impls/reproductions/play.py,
// reference_impls/advising/labelled.py).

import { EXACT, KINDS, given, kindOf } from "./answers.js";

const KNOWN = 10_000; // answers that are kept in mind

/** @typedef {import("./gather.js").Gathered} Gathered
 * @typedef {{models: string[], count: number, tasks: string[], kinds: string[], scores: Float64Array,
 *   costs: Float64Array, latencies: Float64Array, answers: (string | null)[] | null, silent: boolean[]}} Table
 *   everything is [queries, models], row after row; nan is unknown; an answer of null is an abstention, and `silent`
 *   where nothing at all was said
 * @typedef {{preflight: Table, labelled: Table, leftOut: Record<string, number>, unasked: number, texts: boolean,
 *   written: {count: number, line: number}, graded: boolean}} Tables */

/** @param {Gathered} gathered @returns {Tables} */
export function tables({ queries, models }) {
  const kinds = kindsOf(queries);
  const m = models.length;
  const cells = queries.flatMap((query) => models.map((_, j) => query.responses[j]));
  const [written, size] = [{ count: 0, line: 0 }, cells.length];
  let [texts, short, readable, scored] = [false, false, false, false];
  /** @type {Map<string, import("./answers.js").Read>[]} */
  const seen = KINDS.map(() => new Map()); // most answers are the same few
  const noted = (/** @type {string} */ text, /** @type {number} */ i) => {
    const known = seen[KINDS.indexOf(kinds[i])];
    let read = known.get(text);
    if (!read) {
      read = given(text, kinds[i]);
      if (known.size < KNOWN) known.set(text, read);
    }
    if (!read.plain && !written.count++) written.line = queries[i].line;
    return read.answer;
  };
  /** @type {(string | null)[]} */
  const answers = new Array(size).fill(null);
  /** Recorded scores, and those with what an answer is worth beside its reference; nan where there is none. */
  const [recorded, graded] = [new Float64Array(size).fill(NaN), new Float64Array(size).fill(NaN)];
  queries.forEach(({ reference }, i) => {
    for (let at = i * m; at < (i + 1) * m; at++) {
      const cell = cells[at];
      if (!cell) continue;
      if (cell.answer !== null) {
        readable = true;
        answers[at] = noted(cell.answer, i);
      } else if (cell.text !== null) {
        texts = true;
        if (EXACT.includes(kinds[i])) short = true; // free texts are compared by nobody before a method is run
      }
      if (cell.score !== null) {
        scored = true;
        recorded[at] = graded[at] = cell.score;
      } else if (reference && cell.answer !== null) {
        const right = noted(reference, i);
        if (right !== null) graded[at] = Number(answers[at] === right);
      }
    }
  });
  /** @type {Record<string, number>} */
  const leftOut = {};
  const leave = (/** @type {string} */ why) => {
    leftOut[why] = (leftOut[why] ?? 0) + 1;
    return false;
  };
  const every = (/** @type {number} */ i, /** @type {(at: number) => boolean} */ holds) => {
    for (let at = i * m; at < (i + 1) * m; at++) if (!holds(at)) return false;
    return true;
  };
  const learned = queries.map((_, i) => {
    if (!every(i, (at) => cells[at] !== undefined)) return leave("not every model has answered");
    return every(i, (at) => !Number.isNaN(graded[at])) || leave("neither a score nor an answer and a reference");
  });
  const told = scored ? queries.map((_, i) => every(i, (at) => !Number.isNaN(recorded[at]))) : learned;
  const taken = (/** @type {boolean[]} */ kept, /** @type {boolean} */ all) => {
    /** @type {number[]} */
    const used = [];
    kept.forEach((one, i) => one && used.push(i));
    const numbers = (/** @type {(at: number) => number} */ value) => {
      const made = new Float64Array(used.length * m);
      used.forEach((i, to) => {
        for (let j = 0; j < m; j++) made[to * m + j] = value(i * m + j);
      });
      return made;
    };
    const speaks = readable && !(all ? texts : short);
    /** @type {(string | null)[]} */ const said = [];
    /** @type {boolean[]} */ const silent = [];
    for (const i of used) {
      for (let at = i * m; at < (i + 1) * m; at++) {
        if (speaks) said.push(answers[at]);
        silent.push(!cells[at] || (cells[at]?.text === null && cells[at]?.answer === null));
      }
    }
    return {
      models, count: used.length, tasks: used.map((i) => queries[i].task), kinds: used.map((i) => kinds[i]),
      scores: numbers((at) => (all ? graded : recorded)[at]), costs: numbers((at) => cells[at]?.cost ?? NaN),
      latencies: numbers((at) => cells[at]?.latency ?? NaN), answers: speaks ? said : null, silent,
    };
  };
  const unasked = told.filter((kept) => !kept).length;
  return {
    preflight: taken(told, !scored), labelled: taken(learned, true), leftOut, unasked, texts, written, graded: !scored,
  };
}

/** How the answers to each query are read: as it says itself, else by its own reference, else as to most queries of
 * its task, else as text. @param {Gathered["queries"]} queries */
function kindsOf(queries) {
  const own = queries.map(({ kind, reference }) => kind ?? (reference ? kindOf(reference) : null));
  /** @type {Map<string, Map<string, number>>} */
  const counts = new Map();
  queries.forEach(({ task }, i) => {
    const kind = own[i];
    if (!kind) return;
    const of = counts.get(task) ?? new Map();
    of.set(kind, (of.get(kind) ?? 0) + 1);
    counts.set(task, of);
  });
  const usual = (/** @type {string} */ task) => [...counts.get(task) ?? []].sort((a, b) => b[1] - a[1])[0]?.[0];
  return queries.map(({ task }, i) => own[i] ?? usual(task) ?? "text");
}
