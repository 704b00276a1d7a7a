// Longer pieces that one model writes, and segments that several can read: write_until, write_segment and
// common_boundary of reference_impls/core/decoding.py.

import { argmax, logSoftmax } from "./numbers.js";
import { END } from "./tokenizer.js";

/** @typedef {import("./text.js").Text} Text
 * @typedef {{data: string, ended: boolean, whole: boolean, draft: Text}} Segment bytes that a model proposes; whether the
 *   response ends after them; whether they reach a common boundary, or that end; the author's text with them */

/** Lets one model go on with a text until `done(the bytes it wrote)` holds or its context is full.
 * @param {Text} text
 * @param {(written: string) => boolean} done
 * @param {number} maxTokens
 * @returns {Promise<{logprobs: number[], ended: boolean}>} log-probability of each token, the end's too */
export async function writeUntil(text, done, maxTokens) {
  const start = text.data.length;
  const most = Math.min(maxTokens, Math.max(text.room, 0));
  const logprobs = [];
  for (let step = 0; step < most; step++) {
    const logs = logSoftmax(await text.nextLogits());
    const token = argmax(logs);
    logprobs.push(logs[token]);
    if (token === END) return { logprobs, ended: true };
    text.appendToken(token);
    if (done(text.data.slice(start))) break;
  }
  return { logprobs, ended: false };
}

/** What one model writes up to the first place after so many words where its tokens and those of all readers end; its
 * text stays as it is.
 * @param {Text} text
 * @param {Text[]} readers
 * @param {number} words
 * @param {number} maxTokens
 * @returns {Promise<Segment>} */
export async function writeSegment(text, readers, words, maxTokens) {
  if (text.room > 0) await text.nextLogits(); // read once here: the draft starts from the cache
  const draft = text.fork();
  const start = text.data.length;
  const before = text.session.tokens.length;
  const boundary = () => {
    const data = draft.data.slice(start);
    if (countWords(data) < words) return null;
    const own = draft.session.tokens.slice(before).map((token) => text.model.vocabulary[token]);
    const read = readers.filter((reader) => reader.model !== text.model).map((reader) => reader.idsOf(data).map((token) => reader.model.vocabulary[token]));
    return commonBoundary(data, words, [own, ...read.filter((tokens) => tokens.join("") === data)]);
  };
  const { ended } = await writeUntil(draft, () => boundary() !== null, maxTokens);
  const at = boundary();
  if (at === null) return { data: draft.data.slice(start), ended, whole: ended, draft };
  draft.cut(start + at);
  return { data: draft.data.slice(start), ended: false, whole: true, draft };
}

/** The first place within bytes, after so many words, that cuts no word and no token of any tokenisation.
 * @param {string} data
 * @param {number} words
 * @param {string[][]} tokenisations
 * @returns {number | null} */
export function commonBoundary(data, words, tokenisations) {
  const ends = tokenisations.map((tokens) => {
    let at = 0;
    return new Set(tokens.map((token) => (at += token.length)));
  });
  for (const at of [...ends[0]].sort((a, b) => a - b)) {
    const within = /[A-Za-z0-9\x80-\xff]/.test(data[at - 1] ?? "") && /[A-Za-z0-9\x80-\xff]/.test(data[at] ?? "");
    if (at < data.length && !within && ends.every((places) => places.has(at)) && countWords(data.slice(0, at)) >= words) return at;
  }
  return null;
}

/** Runs without white space. @param {string} data */
const countWords = (data) => data.split(/[\t-\r ]+/).filter(Boolean).length;

/** The models' texts with words at their ends that some models have drafted: an author goes on from its draft, the
 * others read what the first author wrote.
 * @param {Text[]} texts
 * @param {Segment[]} written of each model
 * @param {Segment} best
 * @returns {Text[]} */
export function advanced(texts, written, best) {
  const drafts = written.map((other) => (same(other, best) ? other.draft : null));
  const first = /** @type {Text} */ (drafts.find(Boolean));
  return texts.map((text, i) => {
    const draft = drafts[i];
    if (!draft) text.follow(first);
    return draft ?? text;
  });
}

/** @param {Segment} a @param {Segment} b */
export const same = (a, b) => a.data === b.data && a.ended === b.ended && a.whole === b.whole;
