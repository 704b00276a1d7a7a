// Reward-guided steps: a small model writes line by line, a reward judges each line, and a large model rewrites those
// that fall short (reference_impls/during_inference/reward_guided_steps.py).

import { shown } from "../ask.js";
import { decoded } from "../bytes.js";
import { tfidf } from "../embed.js";
import { loaded } from "../fusion.js";
import { Text } from "../text.js";
import { END } from "../tokenizer.js";
import { writeUntil } from "../writing.js";

/** Least reward of a line that stays; lines of a response at most. */
const THRESHOLD = 0.7;
const STEPS = 100;
/** A value far outside what was seen in training must not decide alone. */
const FARTHEST = 4;

/** @param {import("../ask.js").Run} run
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* steps(run) {
  const { query, usage } = run;
  const [small, large] = await loaded(run, run.fitted.steps.members);
  let draft = new Text(small, query.prompt, usage);
  /** @type {Text | null} */
  let target = null;
  /** Log-probabilities of each line's tokens under the small model. @type {number[][]} */
  let logs = [];
  for (let step = 0; step < STEPS; step++) {
    const left = query.maxTokens - draft.session.tokens.length;
    const { ahead, logprobs, ended } = await line(draft, left);
    if (!logprobs.length) break;
    const reward = rewardOf(run.fitted.steps, query.prompt + ahead.text, [...logs, logprobs], ahead.data.length, ended || left <= logprobs.length);
    const kept = reward >= THRESHOLD;
    const told = { kind: "line", model: small.name, text: shown(ahead.data.slice(draft.data.length)), reward, threshold: THRESHOLD, kept };
    if (kept) {
      yield { ...told, piece: told.text };
      [draft, logs] = [ahead, [...logs, logprobs]];
      if (ended) break;
      continue;
    }
    target ??= new Text(large, query.prompt, usage);
    if (target.data !== draft.data) target.follow(draft);
    const rewritten = await line(target, left);
    target = rewritten.ahead;
    const piece = target.data.slice(draft.data.length);
    yield { ...told, instead: large.name, piece: shown(piece) };
    if (!rewritten.logprobs.length || !draft.fits(piece)) return target.text;
    const ids = [...draft.idsOf(piece), ...(rewritten.ended ? [END] : [])];
    const scored = await draft.session.score(ids);
    logs = [...logs, scored.length ? scored : [-20]];
    draft.follow(target);
    if (rewritten.ended) break;
  }
  return draft.text;
}

/** A model's text with one more line, the log-probabilities of its tokens, and whether it ends the response.
 * @param {Text} text
 * @param {number} left */
async function line(text, left) {
  if (text.room > 0 && left > 0) await text.nextLogits(); // read once here: the draft starts from the cache
  const ahead = text.fork();
  return { ahead, ...(await writeUntil(ahead, (written) => decoded(written).includes("\n"), left)) };
}

/** The reward of a response so far: how likely one that begins so ends right.
 * @param {{size: number, idf: number[], mean: number[], deviation: number[], weights: number[], intercept: number}} fitted
 * @param {string} text with its prompt
 * @param {number[][]} logs of each line's tokens
 * @param {number} bytes
 * @param {boolean} finished */
export function rewardOf({ size, idf, mean, deviation, weights, intercept }, text, logs, bytes, finished) {
  const last = logs[logs.length - 1];
  const numbers = [average(logs.flat()), average(last), Math.min(...last), Math.log(logs.length), Math.log1p(bytes), Number(finished)];
  const scaled = numbers.map((value, i) => Math.max(-FARTHEST, Math.min(FARTHEST, (value - mean[i]) / deviation[i])));
  const sum = [...scaled, ...tfidf(text, size, idf)].reduce((total, value, i) => total + value * weights[i], intercept);
  return 0.5 * (1 + Math.tanh(0.5 * sum));
}

const average = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length;
