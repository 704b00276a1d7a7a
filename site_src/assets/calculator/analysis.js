// A table from its text to all that the page says of it; no part of it knows a page.

import { advise } from "./advice.js";
import { FOLDS } from "./folds.js";
import { gather } from "./gather.js";
import { preflight } from "./preflight.js";
import { tables } from "./table.js";

/** @typedef {import("./advice.js").Advice} Advice
 * @typedef {import("./preflight.js").Preflight} Preflight
 * @typedef {import("./gather.js").Gathered} Gathered
 * @typedef {import("./table.js").Tables} Tables
 * @typedef {{rows: number, queries: number, models: string[], faults: import("./csv.js").Fault[], notes: string[],
 *   prompts: boolean, priced: boolean, timed: boolean}} Read
 * @typedef {{read: Read, used: Tables | null}} Opened */

/** @param {string} text @param {boolean} whole @returns {Opened} */
export function open(text, whole = true) {
  const gathered = gather(text, whole);
  const used = gathered.queries.length ? tables(gathered) : null;
  const notes = [...gathered.notes];
  if (used) notes.push(...notesOf(used, gathered));
  const all = (/** @type {Float64Array} */ values) => values.length > 0 && !values.some(Number.isNaN);
  return {
    read: {
      rows: gathered.rows, queries: gathered.queries.length, models: gathered.models, faults: gathered.faults, notes,
      prompts: gathered.named, priced: used !== null && all(used.labelled.costs),
      timed: used !== null && all(used.labelled.latencies),
    },
    used,
  };
}

/** @param {Tables} used @param {Gathered} gathered */
function notesOf(used, gathered) {
  const [whole, notes] = [gathered.queries.length, /** @type {string[]} */ ([])];
  for (const [why, count] of Object.entries(used.leftOut)) {
    notes.push(`${count.toLocaleString("en")} of ${whole.toLocaleString("en")} queries are left out of the comparison: ${why}.`);
  }
  if (used.unasked && used.preflight.count !== used.labelled.count) {
    notes.push(`The preflight rests on the ${used.preflight.count.toLocaleString("en")} queries with a score of every model.`);
  }
  if (used.graded) notes.push("There are no scores, so an answer is right where it is the reference.");
  if (used.texts) {
    notes.push("Answers are not read out of whole responses here; votes and cascades need columns MODEL:answer, or "
      + "atlas recommend, which reads them. Agreement is counted by scores here.");
  }
  const { count, line } = used.written;
  if (count) {
    notes.push(`${count.toLocaleString("en")} answers or references (the first at line ${line}) are in no plain form (a `
      + "number, a letter, yes or no, words) and are compared as written; atlas recommend also reads units, fractions, "
      + "formulas and sentences around an answer.");
  }
  return notes;
}

/** @param {Tables} used @param {readonly number[]} [gains] @returns {Preflight | null} */
export function look(used, gains) {
  return used.preflight.count ? preflight(used.preflight, gains) : null;
}

/** What to use; null where there are too few queries. @param {Tables} used
 * @param {{margin?: number, threshold?: number}} options @returns {Advice | null} */
export function recommend(used, options) {
  return used.labelled.count >= FOLDS ? advise(used.labelled, options) : null;
}
