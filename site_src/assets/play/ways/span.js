// Cool-Fusion: each model writes on to the next word boundary that all share, and the segment of the lowest mean
// perplexity over all models is appended for everyone (reference_impls/during_inference/cool_fusion.py).

import { shown } from "../ask.js";
import { loaded } from "../fusion.js";
import { argmax } from "../numbers.js";
import { Text } from "../text.js";
import { END } from "../tokenizer.js";
import { advanced, same, writeSegment } from "../writing.js";

/** The exponent beyond which a perplexity is no larger. */
const LARGEST = 700;

/** @typedef {import("../writing.js").Segment} Segment */

/** @param {import("../ask.js").Run} run
 * @returns {AsyncGenerator<import("../ask.js").Event, string>} */
export async function* span(run) {
  const { query, usage } = run;
  const members = await loaded(run, run.fitted.span.members);
  let texts = members.map((model) => new Text(model, query.prompt, usage));
  for (;;) {
    const left = query.maxTokens - texts[0].session.tokens.length;
    if (left <= 0) break;
    /** @type {Segment[]} */
    const written = [];
    for (const text of texts) written.push(await writeSegment(text, texts, 1, left));
    const segments = candidates(written).filter((segment) => texts.every((text) => text.fits(segment.data)));
    if (!segments.length) break;
    const perplexities = segments.length > 1 ? await rated(texts, segments) : null;
    const means = perplexities?.map((row) => row.reduce((a, b) => a + b, 0) / row.length);
    const at = means ? argmax(means.map((mean) => -mean)) : 0;
    yield {
      kind: "span",
      spans: segments.map((segment, i) => ({
        text: shown(segment.data),
        ended: segment.ended,
        by: members.filter((_, m) => same(written[m], segment)).map((model) => model.name),
        mean: means?.[i],
        ratings: perplexities?.[i].map((value, m) => [members[m].name, value]),
      })),
      chosen: at,
      piece: shown(segments[at].data),
    };
    texts = advanced(texts, written, segments[at]);
    if (segments[at].ended) break;
  }
  return texts[0].text;
}

/** Segments to choose from, each once. One that was cut at the token limit competes only if all were.
 * @param {Segment[]} written */
function candidates(written) {
  const whole = written.filter((segment) => segment.whole);
  const left = whole.length ? whole : written.filter((segment) => segment.data);
  return left.filter((segment, i) => left.findIndex((other) => same(other, segment)) === i);
}

/** Perplexity of every segment under every model, [segments][models].
 * @param {Text[]} texts
 * @param {Segment[]} segments */
async function rated(texts, segments) {
  const table = segments.map(() => /** @type {number[]} */ ([]));
  for (const text of texts) {
    for (const [i, segment] of segments.entries()) {
      const logs = await text.session.score([...text.idsOf(segment.data), ...(segment.ended ? [END] : [])]);
      const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
      table[i].push(logs.length ? Math.exp(Math.min(-mean, LARGEST)) : Infinity);
    }
  }
  return table;
}
