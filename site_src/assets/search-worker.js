/**
 * Stands before the theme's search worker (lunr) in one file, after words.js; see scripts/mkdocs_hook.py.
 *
 * The theme's index tells "Šakota" from "Sakota", and its query language takes the hyphens of "mixture-of-agents" for
 * signs of its own. So words lose their accents in the index and in the query, a query is nothing but words, and what
 * holds all of them, best as one phrase in its title, comes first.
 */

const [SETUP, QUERY, RESULT] = [0, 2, 3]; // the types of the theme's messages
const pages = new Map(); // location -> { title, text }: the page's words, each after a blank
let asked = []; // the words of the latest query

/** The words of a text, as the index cuts them. */
function wordsOf(text) {
  return fold(text).split(lunr.tokenizer.separator).filter(Boolean);
}

/** Lets every document that is added lose its accents; lunr calls it for each one. */
function foldIndex() {
  const add = lunr.Builder.prototype.add;
  const folded = (token) => token.update(fold);
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

/** How well a page fits the latest query: 4 its title holds the phrase, 3 all words, 2 and 1 its text does. */
function fit({ location }) {
  const page = pages.get(location);
  page.words ??= [page.title, page.text].map((text) => ` ${wordsOf(text ?? "").join(" ")}`);
  const [title, text] = page.words;
  const whole = `${title}${text}`;
  const hasAll = (words) => asked.every((word) => words.includes(` ${word}`));
  const phrase = ` ${asked.join(" ")}`;
  if (title.includes(phrase)) return 4;
  if (hasAll(title)) return 3;
  if (text.includes(phrase)) return 2;
  return hasAll(whole) ? 1 : 0;
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
