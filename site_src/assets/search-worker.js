/**
 * Stands before the theme's search worker (lunr) in one file, after words.js; see scripts/render/mkdocs_hook.py.
 *
 * The theme's index tells "Šakota" from "Sakota", and its query language takes the hyphens of "mixture-of-agents" for
 * signs of its own. So words lose their accents in the index and in the query, a query is nothing but words, and what
 * holds all of them, best as one phrase in its title, comes first.
 */

const [SETUP, QUERY, RESULT] = [0, 2, 3]; // the types of the theme's messages
const pages = new Map(); // location -> { title, text }, and once it was found `words`: both folded, blanks around words
let asked = []; // the words of the latest query

/** The words of a text, as the index cuts them. */
function wordsOf(text) {
  return fold(text).split(lunr.tokenizer.separator).filter(Boolean).flatMap(pairs);
}

/** Lets every document that is added lose its accents; lunr calls it for each one. */
function foldIndex() {
  const add = lunr.Builder.prototype.add;
  const folded = (token) => pairs(fold(token.toString())).map((word) => token.clone(() => word));
  lunr.Pipeline.registerFunction(folded, "folded");
  lunr.Builder.prototype.add = function (...document) {
    if (!this.folds) this.pipeline.add(folded);
    this.folds = true;
    return add.apply(this, document);
  };
}

/** The words by which to look. Little words and single letters would find every word that they begin ("of": "offs"). */
function prepared(query) {
  asked = wordsOf(bareIdentifier(query));
  const telling = asked.filter((word) => word.length > 1 && lunr.stopWordFilter(word));
  return (telling.length ? telling : asked).join(" ");
}

/** 5 if the title begins with the words, 4 if it holds them as a phrase, 3 if all of them, 2 and 1 if the text does;
 * `end` closes each word. */
function held([title, text], end) {
  const phrase = ` ${asked.join(" ")}${end}`;
  const hasAll = (words) => asked.every((word) => words.includes(` ${word}${end}`));
  if (title.startsWith(phrase)) return 5;
  if (title.includes(phrase)) return 4;
  if (hasAll(title)) return 3;
  if (text.includes(phrase)) return 2;
  return hasAll(title + text) ? 1 : 0;
}

/** How well a page fits the latest query: half a step less where it only has longer words that begin like those asked. */
function fit({ location }) {
  const page = pages.get(location);
  page.words ??= [page.title, page.text].map((text) => ` ${wordsOf(text ?? "").join(" ")} `);
  return Math.max(held(page.words, " "), held(page.words, "") - 0.5);
}

/** The results of the theme, which sorted them by lunr's score, by how well they fit; equal ones keep their order. */
function ranked(items) {
  const fits = new Map(items.map((group) => [group, Math.max(...group.map(fit))]));
  return [...items].sort((a, b) => fits.get(b) - fits.get(a));
}

// Added before the theme's own listener, and so called before it.
addEventListener("message", (event) => {
  const { type, data, ready } = event.data;
  if (type === SETUP) {
    foldIndex();
    for (const page of data.docs) pages.set(page.location, { title: page.title, text: page.text });
  } else if (type === QUERY && !ready) {
    event.stopImmediatePropagation();
    dispatchEvent(new MessageEvent("message", { data: { ...event.data, data: prepared(data), ready: true } }));
  }
});

const send = self.postMessage.bind(self);
self.postMessage = (message) => {
  if (message.type === RESULT && asked.length) message.data.items = ranked(message.data.items);
  send(message);
};
