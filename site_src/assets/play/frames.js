// What a reader sees of a run after so many of its events: plain data to DOM.

import { counted, el } from "../dom.js";

/** @typedef {Record<string, any> & {kind: string}} Event */

/** A token with its blanks to be seen. @param {string} piece */
export const visible = (piece) => (piece === "" ? "⟨end⟩" : piece.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥"));
const percent = (/** @type {number} */ p) => (p >= 0.9995 && p < 1 ? ">99.9%" : p > 0 && p < 0.0005 ? "<0.1%" : `${(100 * p).toFixed(1)}%`);

/** Bars from 0 to 1. @param {[string, number][]} entries @param {(label: string) => boolean} chosen */
function bars(entries, chosen) {
  return el("ul", { class: "atlas-play-bars" }, entries.map(([label, p]) => el("li", { class: chosen(label) ? "atlas-play-chosen" : null },
    el("span", {}, (chosen(label) ? "▸ " : "") + label),
    el("span", { class: "atlas-play-bar", "aria-hidden": "true" }, bar(p)),
    el("span", {}, percent(p)))));
}

/** @param {number} p */
function bar(p) {
  const node = document.createElement("i");
  node.style.inlineSize = `${Math.max(100 * p, 0.5)}%`;
  return node;
}

/** Events that add a piece to the text that all write. */
const TOGETHER = ["step", "span", "line"];
/** Whose answer an event belongs to. @param {Event} event */
const author = ({ model, layer }) => `${layer ?? ""} ${model}`;

/** Answers, and the text that is written together, after the first events. @param {Event[]} events */
function told(events) {
  /** @type {Map<string, {model: string, layer?: number, text: string, end?: Event}>} */
  const answers = new Map();
  let together = null;
  for (const event of events) {
    const { model, layer } = event;
    if (event.kind === "token") {
      const text = (answers.get(author(event))?.text ?? "") + event.piece;
      answers.set(author(event), { model, layer, text });
    } else if (event.kind === "answer") {
      answers.set(author(event), { model, layer, text: event.text, end: event });
    } else if (TOGETHER.includes(event.kind)) {
      together = (together ?? "") + event.piece;
    }
  }
  return { answers: [...answers.values()], together };
}

const words = (/** @type {string} */ text) => el("pre", {}, el("code", {}, text.trim() || "…"));

/** What an event shows beside the texts. */
const PANELS = /** @type {Record<string, (event: any) => (Node | string)[]>} */ ({
  token: ({ model, piece, top }) => [
    el("h4", {}, `${model}: the next token`), bars(top.map((/** @type {any} */ [token, p]) => [visible(token), p]), (label) => label === visible(piece)),
  ],
  answer: ({ model, answer, confidence }) => [
    el("h4", {}, `${model} has answered`),
    el("p", {}, answer === null ? "No answer can be read from its text." : `Its answer: ${answer.length > 80 ? "the whole text" : answer}. Mean probability of its tokens: ${percent(confidence)}.`),
  ],
  route: ({ models, chosen }) => [
    el("h4", {}, "How likely each model is right"), bars(models.map((/** @type {any} */ m) => [m.model, m.p]), (label) => label === chosen), el("p", {}, `${chosen} serves the question; no other model is asked.`),
  ],
  votes: ({ groups, silent, chosen, tie }) => [
    el("h4", {}, "The vote"),
    el("ul", { class: "atlas-play-votes" }, groups.map((/** @type {any} */ group) => el("li", { class: group.models.includes(chosen) ? "atlas-play-chosen" : null },
      el("b", {}, counted(group.votes, "vote")), " ", el("span", {}, group.answer.length > 80 ? `${group.answer.slice(0, 79)}…` : group.answer), el("small", {}, ` ${group.models.join(", ")}`)))),
    silent.length ? el("p", {}, `No answer from ${silent.join(", ")}.`) : "",
    el("p", {}, tie ? `A tie, decided by ${TIES[tie]}; the text of ${chosen} is returned.` : `The text of ${chosen} is returned.`),
  ],
  margin: ({ model, value, threshold, accepted, top, next }) => [
    el("h4", {}, `Was ${model} sure of its first token?`), bars(top.map((/** @type {any} */ [token, p]) => [visible(token), p]), () => false),
    el("p", {}, `The likeliest token leads by ${value.toFixed(2)} nats; ${threshold === Infinity ? "no lead is enough here" : `${threshold.toFixed(2)} are needed`}. ${accepted ? "Its answer stands." : `${next} is asked.`}`),
  ],
  step: ({ models, merged, piece, against }) => [
    el("h4", {}, `The next token: ${visible(piece)}`),
    ...models.map((/** @type {any} */ one) => el("div", { class: "atlas-play-voice" }, el("b", {}, one.model), bars(one.top.map((/** @type {any} */ [token, p]) => [visible(token), p]), (label) => label === visible(piece)))),
    el("div", { class: "atlas-play-voice atlas-play-merged" }, el("b", {}, models.length > 1 ? "together" : "alone in this task"), bars(merged.map((/** @type {any} */ [token, p]) => [visible(token), p]), (label) => label === visible(piece))),
    el("p", {}, against.length ? `${against.join(" and ")} would have written another token.` : "All agree."),
  ],
  span: ({ spans, chosen }) => [
    el("h4", {}, spans.length > 1 ? "Which phrase do all find likeliest?" : "The next phrase: no other was proposed"),
    el("ul", { class: "atlas-play-votes" }, spans.map((/** @type {any} */ one, /** @type {number} */ i) => el("li", { class: i === chosen ? "atlas-play-chosen" : null },
      (i === chosen ? "▸ " : "") + (one.text && one.ended ? `${visible(one.text)}⟨end⟩` : visible(one.text)), " ", el("small", {}, `by ${one.by.join(", ")}`),
      one.ratings ? el("small", {}, `: mean perplexity ${short(one.mean)} (${one.ratings.map((/** @type {any} */ [model, value]) => `${model} ${short(value)}`).join(", ")})`) : ""))),
    spans.length > 1 ? el("p", {}, "The lowest mean perplexity wins: to all models together that phrase is the least surprising.") : "",
  ],
  line: ({ model, text, reward, threshold, kept, instead, piece }) => [
    el("h4", {}, `Is the line of ${model} good enough?`), words(text), bars([["reward", reward], ["needed", threshold]], (label) => kept && label === "reward"),
    ...(kept ? [el("p", {}, "It stays.")] : [el("p", {}, `It falls short; ${instead} writes instead:`), words(piece)]),
  ],
  drafts: ({ model, drafts, layer, last }) => [
    el("h4", {}, drafts.length ? `${model} reads ${counted(drafts.length, "draft")}${last ? " and writes the answer" : ""}` : `Layer ${layer}: ${model} answers without drafts`),
    el("ul", { class: "atlas-play-votes" }, drafts.map((/** @type {string} */ draft) => el("li", {}, draft.length > 80 ? `${draft.slice(0, 79)}…` : draft))),
  ],
});
/** A perplexity. @param {number} value */
const short = (value) => (value < 1000 ? value.toFixed(2) : value.toExponential(1));
/** @type {Record<string, string>} */
const TIES = { accuracy: "how often the models were right on other questions", confidence: "the models' own probabilities", draw: "the alphabet, as nothing else tells them apart" };

/** The frame after some events, and the run's text where it has ended with them.
 * @param {Event[]} events
 * @param {string | null} final
 * @returns {Node[]} */
export function frame(events, final) {
  const { answers, together } = told(events);
  const last = events.at(-1);
  const parts = answers.map(({ model, layer, text, end }) => el("section", { class: `atlas-play-answer${last && author(last) === author(/** @type {any} */ ({ model, layer })) && !end ? " atlas-play-now" : ""}` },
    el("h4", {}, layer ? `Layer ${layer}: ${model}` : model, el("small", {}, end ? ` ${counted(end.tokens, "token")} in ${Math.round(end.ms)} ms` : " writes …")), words(text)));
  if (together !== null) parts.push(el("section", { class: "atlas-play-answer" }, el("h4", {}, "Written together"), words(together)));
  const panel = last && PANELS[last.kind] ? el("section", { class: "atlas-play-panel" }, PANELS[last.kind](last)) : null;
  const result = final === null ? null : el("section", { class: "atlas-play-final" }, el("h4", {}, "The answer"), words(final));
  return [panel, ...parts, result].filter((part) => part !== null);
}
