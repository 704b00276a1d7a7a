// The queries and responses of a table of one's own: each row is held against the recorded form, and a wrong one is
// named with its line and costs itself only. As reference_impls/importing/rows.py.

import { columnsOf } from "./columns.js";
import { rows, shown } from "./csv.js";
import { KINDS } from "./answers.js";

/** @typedef {import("./csv.js").Fault} Fault
 * @typedef {{text: string | null, answer: string | null, score: number | null, cost: number | null,
 *   latency: number | null, sample: number}} Response
 * @typedef {{prompt: string, reference: string | null, task: string, kind: string | null, split: string, line: number,
 *   responses: (Response | undefined)[]}} Query
 * @typedef {{queries: Query[], models: string[], faults: Fault[], notes: string[], rows: number,
 *   named: boolean}} Gathered */

const COUNTED = ["prompt_tokens", "completion_tokens", "calls"];
const SPLITS = ["train", "validation", "test"];
const BLANK = ["", "nan", "null", "none", "na", "n/a"];
const FLOAT = /^[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+)?$/i;
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const PLAIN = /^[\w.:/-]{1,99}$/; // what most names are, told at once
const [MAX_NAME, MAX_COUNT] = [512, 1e9];

class Wrong extends Error {
  /** @param {string} what @param {string} mend */
  constructor(what, mend) {
    super(what);
    this.mend = mend;
  }
}

/** @param {string} text @param {boolean} whole whether all of the file could be decoded @returns {Gathered} */
export function gather(text, whole = true) {
  /** @type {Map<string, Query>} */
  const queries = new Map();
  /** @type {Map<string, number>} */
  const models = new Map();
  /** @type {Fault[]} */
  const faults = [];
  /** @type {Set<string>} */
  const notes = new Set();
  let count = 0;
  /** @type {import("./columns.js").Columns | null} */
  let columns = null;
  /** @type {[string, import("./columns.js").Places][]} */
  let asked = [];
  for (const item of rows(text, whole)) {
    if (!("cells" in item)) {
      faults.push(item);
      continue;
    }
    if (!columns) {
      const found = columnsOf(item.cells);
      if ("what" in found) {
        faults.push({ line: item.line, ...found });
        break;
      }
      columns = found;
      asked = [...found.models];
      if (found.unused.length) notes.add(`Columns left out: ${found.unused.join(", ")}.`);
      continue;
    }
    count++;
    const { line, cells } = item;
    /** @type {(Query & {id: string}) | null} */
    let first = null;
    let answered = 0;
    for (const [named, places] of asked) {
      const told = (/** @type {string} */ key) => (key in places ? cells[places[key]] : "");
      if (named && nothing(cells, places)) continue; // not asked
      answered++;
      try {
        first ??= queryOf(cells, columns.query, line);
        const { id } = first;
        const response = responseOf(told);
        const model = name(named || told("model"), "model");
        const old = queries.get(id);
        if (old && old !== first) merge(old, first, id);
        const at = models.get(model) ?? models.size;
        const there = old?.responses[at];
        if (there && (there.sample === response.sample || !columns.long)) {
          throw new Wrong(`${shown(model)} has answered ${shown(id)} already`, "remove one, or give each query an id of its own");
        }
        if (there) notes.add("Of several samples of a model the first one is used here.");
        models.set(model, at);
        const query = old ?? first;
        queries.set(id, query);
        if (!there || response.sample < there.sample) query.responses[at] = response;
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        faults.push({ line, what: error.message, mend: error.mend });
      }
    }
    if (!answered) faults.push({ line, what: "no model answered", mend: "fill in a model's cells, or remove the row" });
  }
  const named = Boolean(columns && columns.query.prompt !== columns.query.id);
  return { queries: [...queries.values()], models: [...models.keys()], faults, notes: [...notes], rows: count, named };
}

const NUMBERS = ["sample", "score", "cost", "prompt_tokens", "completion_tokens", "latency", "calls"];

/** Whether the cells of a model are all empty. @param {string[]} cells @param {import("./columns.js").Places} places */
function nothing(cells, places) {
  for (const key in places) {
    const bare = cells[places[key]].trim();
    if (bare && !(NUMBERS.includes(key) && blank(bare))) return false;
  }
  return true;
}

/** @param {string} bare */
const blank = (bare) => bare.length < 5 && BLANK.includes(bare.toLowerCase());

/** @param {string[]} cells @param {import("./columns.js").Places} places @param {number} line
 * @returns {Query & {id: string}} */
function queryOf(cells, places, line) {
  const told = (/** @type {string} */ key) => (key in places ? cells[places[key]].trim() : "");
  const prompt = "prompt" in places ? cells[places.prompt] : "";
  if (!prompt.trim()) throw new Wrong("'prompt' is empty", "write a string that is not empty");
  const [split, kind] = [told("split") || "test", told("kind") || null];
  if (!SPLITS.includes(split)) throw new Wrong(`'split' is ${shown(split)}`, `write one of ${SPLITS.join(", ")}`);
  if (kind !== null && !KINDS.includes(kind)) {
    throw new Wrong(`'kind' is ${shown(kind)}`, `write one of ${KINDS.join(", ")}`);
  }
  const id = told("id") ? `#${name(told("id"), "id")}` : `=${prompt}`; // of a prompt without id it is its own
  const task = name(told("task") || "all", "task");
  return { id, prompt, reference: told("reference") || null, task, kind, split, line, responses: [] };
}

/** @param {string} value @param {string} key */
function name(value, key) {
  const bare = value.trim();
  if (PLAIN.test(bare)) return bare;
  if (!bare) throw new Wrong(`'${key}' is empty`, "write a string that is not empty");
  if (bare.length > MAX_NAME || UNPRINTABLE.test(bare.replaceAll(" ", ""))) {
    const mend = `at most ${MAX_NAME} printable characters on one line, no blank at the ends`;
    throw new Wrong(`'${key}' is ${shown(bare)}`, mend);
  }
  return bare;
}

/** @param {(key: string) => string} told @returns {Response} */
function responseOf(told) {
  const text = told("text").trim() ? told("text") : null;
  const answer = told("answer").trim() || null;
  const score = number(told("score"), "score", 1);
  if (text === null && answer === null && score === null) {
    throw new Wrong("neither text nor answer nor score of a response", "give at least one of them");
  }
  for (const key of COUNTED) whole(told(key), key);
  return {
    text, answer, score, cost: number(told("cost"), "cost"), latency: number(told("latency"), "latency"),
    sample: whole(told("sample"), "sample") ?? 0,
  };
}

/** @param {string} text @param {string} key @param {number} largest */
function number(text, key, largest = Infinity) {
  const bare = text.trim();
  if (blank(bare)) return null;
  if (key === "score" && /^true$/i.test(bare)) return 1;
  if (key === "score" && /^false$/i.test(bare)) return 0;
  const value = FLOAT.test(bare) ? Number(bare.replaceAll("_", "")) : NaN;
  if (!(value >= 0 && value <= Math.min(largest, 1e15))) {
    const wanted = largest === Infinity ? "not negative" : `from 0 to ${largest}`;
    throw new Wrong(`'${key}' is ${shown(bare)}`, `write a number ${wanted}`);
  }
  return value;
}

/** @param {string} text @param {string} key */
function whole(text, key) {
  if (!text) return null;
  const bare = text.trim();
  if (blank(bare)) return null;
  const value = FLOAT.test(bare) ? Number(bare.replaceAll("_", "")) : NaN;
  if (!Number.isInteger(value) || value < 0 || value > MAX_COUNT) {
    throw new Wrong(`'${key}' is ${shown(bare)}`, `write a whole number from 0 to ${MAX_COUNT}`);
  }
  return value;
}

/** What two rows tell of a query; what one leaves out the other gives.
 * @param {Query} old @param {Query} told @param {string} id */
function merge(old, told, id) {
  for (const key of /** @type {const} */ (["prompt", "reference", "task", "split", "kind"])) {
    if (old[key] && told[key] && old[key] !== told[key]) {
      const what = `the query ${shown(id.slice(1))} has another '${key}' here than at line ${old.line}`;
      throw new Wrong(what, "make them the same, or give each query an id of its own");
    }
  }
  old.reference ??= told.reference;
  old.kind ??= told.kind;
}
