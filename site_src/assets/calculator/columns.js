// What the columns of a table hold, by their names. As reference_impls/importing/tables.py: a column MODEL:FIELD holds
// a field of a model's response; a table with a column `model` has a row a response.

/** @type {Record<string, string[]>} */
const QUERY = {
  id: ["id", "query_id", "prompt_id", "sample_id"], prompt: ["prompt", "question", "input", "query"],
  reference: ["reference", "gold", "target", "expected", "ground_truth", "label"],
  task: ["task", "subject", "category", "dataset", "eval_name"], split: ["split"], kind: ["kind"],
};
/** @type {Record<string, string[]>} */
const RESPONSE = {
  model: ["model", "model_id", "model_name"], sample: ["sample", "epoch"],
  text: ["text", "response", "output", "completion", "model_response"], answer: ["answer", "extracted_answer"],
  score: ["score", "correct", "is_correct"], cost: ["cost", "cost_usd", "total_cost"],
  prompt_tokens: ["prompt_tokens", "input_tokens"], completion_tokens: ["completion_tokens", "output_tokens"],
  latency: ["latency", "latency_s", "seconds"], calls: ["calls"],
};

/** @typedef {Record<string, number>} Places positions of columns by what they hold
 * @typedef {{query: Places, models: Map<string, Places>, long: boolean, unused: string[]}} Columns */

/** @param {string[]} names @returns {Columns | {what: string, mend: string}} */
export function columnsOf(names) {
  const query = found(names, QUERY);
  const response = found(names, RESPONSE);
  if (!("prompt" in query) && "id" in query) query.prompt = query.id; // enough to tell the queries apart
  if (!("prompt" in query)) return { what: "no column 'prompt' or 'id'", mend: "add one that tells the queries apart" };
  const long = "model" in response;
  const models = long ? new Map([["", response]]) : modelsOf(names, new Set(Object.values(query)));
  if (!models.size) {
    return { what: "no column of a model", mend: "for a row a prompt add columns MODEL:score, MODEL:answer" };
  }
  const used = new Set([...Object.values(query), ...[...models.values()].flatMap((places) => Object.values(places))]);
  return { query, models, long, unused: names.filter((name, i) => name && !used.has(i)) };
}

/** @param {string[]} names @param {Record<string, string[]>} wanted @returns {Places} */
function found(names, wanted) {
  const lower = names.map((name) => name.toLowerCase());
  /** @type {Places} */
  const made = {};
  for (const [key, usual] of Object.entries(wanted)) {
    const name = usual.find((one) => lower.includes(one));
    if (name) made[key] = lower.indexOf(name);
  }
  return made;
}

/** @param {string[]} names @param {Set<number>} taken @returns {Map<string, Places>} */
function modelsOf(names, taken) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  for (const [key, usual] of Object.entries(RESPONSE)) {
    if (key !== "model") for (const name of usual) fields.set(name, key);
  }
  /** @type {Map<string, Places>} */
  const models = new Map();
  names.forEach((name, i) => {
    const place = Math.max(name.lastIndexOf(":"), name.lastIndexOf("|"));
    const model = name.slice(0, Math.max(place, 0)).trim();
    const key = fields.get(name.slice(place + 1).trim().toLowerCase());
    if (place <= 0 || !model || !key || taken.has(i)) return;
    const places = models.get(model) ?? {};
    if (!(key in places)) places[key] = i;
    models.set(model, places);
  });
  return models;
}
