// Mixture-of-Agents: layers of models rewrite one another's answers, and a last model makes one answer of them
// (reference_impls/after_inference/mixture_of_agents.py).

import { answerOf } from "../answers.js";
import { ask } from "../ask.js";
import { loaded } from "../fusion.js";
import { CONTEXT } from "../model.js";

/** Layers, and proposers in each: the most expensive models. */
const LAYERS = 2;
const PROPOSERS = 3;

/** @typedef {import("../model.js").Generation} Generation
 * @typedef {import("../ask.js").Event} Event */

/** @param {import("../ask.js").Run} run
 * @returns {AsyncGenerator<Event, string>} */
export async function* mixture(run) {
  const members = await loaded(run, run.names.slice(-PROPOSERS).reverse());
  /** @type {Generation[]} */
  let responses = [];
  for (let layer = 1; layer <= LAYERS; layer++) {
    const drafts = responses.map((response) => response.text);
    responses = [];
    for (const model of members) responses.push(yield* write(model, run, drafts, layer));
  }
  return (yield* write(members[0], run, responses.map((response) => response.text), LAYERS + 1)).text;
}

/** What a model writes when it reads the query and other responses; those that do not fit are dropped from the end.
 * @param {import("../model.js").Model} model
 * @param {import("../ask.js").Run} run
 * @param {string[]} texts
 * @param {number} layer
 * @returns {AsyncGenerator<Event, Generation>} */
async function* write(model, run, texts, layer) {
  const drafts = draftsOf(texts, run.query.kind);
  const length = () => 1 + model.tokenizer.encode(fusePrompt(run.query.prompt, drafts)).length;
  while (drafts.length && length() >= CONTEXT) drafts.pop();
  yield { kind: "drafts", layer, model: model.name, drafts: [...drafts], last: layer > LAYERS };
  const writing = ask(model, run, drafts.length ? fusePrompt(run.query.prompt, drafts) : run.query.prompt);
  for (;;) {
    const { value, done } = await writing.next();
    if (done) return value;
    yield { ...value, layer };
  }
}

/** The prompt in the form in which the models have learned to read drafts.
 * @param {string} prompt
 * @param {string[]} drafts */
export function fusePrompt(prompt, drafts) {
  const question = prompt.replace(/A:$/, "").replace(/\n+$/, "");
  return `${question}\n${drafts.map((draft) => `Draft: ${draft}`).join("\n")}\nA:`;
}

/** Responses as drafts, without empty ones; worked solutions are cut to the final number.
 * @param {string[]} texts
 * @param {string} kind */
export function draftsOf(texts, kind) {
  const cut = kind === "number" ? texts.map((text) => answerOf(text, kind) || text) : texts;
  return cut.map((draft) => draft.trim()).filter(Boolean);
}
