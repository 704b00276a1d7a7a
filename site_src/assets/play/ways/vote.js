// Majority vote: every model answers once, and the answer that most of them give wins
// (reference_impls/after_inference/majority_vote.py).

import { answerOf } from "../answers.js";
import { ask } from "../ask.js";
import { choose, counts } from "../choice.js";

/** @param {import("../ask.js").Run} run
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* vote(run) {
  /** @type {import("../model.js").Generation[]} */
  const responses = [];
  for (const name of run.names) responses.push(yield* ask(await run.model(name), run));
  const answers = responses.map((response) => answerOf(response.text, run.query.kind, run.query.options));
  const votes = counts(answers);
  const { chosen, tie } = choose(responses, answers, votes, run.fitted.accuracies);
  const said = [...new Set(answers.filter((answer) => answer !== null))];
  const groups = said.map((answer) => ({
    answer,
    votes: votes[answers.indexOf(answer)],
    models: responses.filter((_, i) => answers[i] === answer).map((response) => response.model),
  }));
  groups.sort((a, b) => b.votes - a.votes);
  const silent = responses.filter((_, i) => answers[i] === null).map((response) => response.model);
  yield { kind: "votes", groups, silent, chosen: chosen.model, tie };
  return chosen.text;
}
