/**
 * Stands before the theme's search worker (lunr) in one file, after words.js and finder.js; see
 * scripts/render/building/mkdocs_hook.py. Lunr finds the pages; the papers, which are many, are found by the finder.
 *
 * The theme's index tells "Šakota" from "Sakota", and its query language takes the hyphens of "mixture-of-agents" for
 * signs of its own. So words lose their accents in the index and in the query, a query is nothing but words, and what
 * holds all of them, best as one phrase in its title, comes first.
 */

const [SETUP, QUERY, RESULT] = [0, 2, 3]; // the types of the theme's messages
const pages = new Map(); // location -> { title, text }, and once it was found `words`: both folded, blanks around words
let asked = []; // the words of the latest query
let latest = ""; // and the query itself
let finder; // of the papers, once it is there
let chinese = false; // the pages' language
const PAPERS_SHOWN = 40;
const DATA = new URL("../../data/", self.location.href);

/** The words of a text, as the index cuts them. */
function wordsOf(text) {
  return fold(text).split(lunr.tokenizer.separator).filter(Boolean).flatMap(pairs);
}

/** Lets every document that is added lose its accents; lunr calls it for each one. */
function foldIndex() {
  const add = lunr.Builder.prototype.add;
  // a star within a word of the index is a sign for lunr, which then looks for words that are not there
  const folded = (token) => {
    return pairs(fold(token.toString()).replaceAll("*", "")).filter(Boolean).map((word) => token.clone(() => word));
  };
  lunr.Pipeline.registerFunction(folded, "folded");
  // lunr merges parts of its index that it writes alike, and writes signs and numbers with nothing between them: where
  // signs are digits two unlike parts can look alike, and it then looks for words that are not there
  lunr.TokenSet.prototype.toString = function () {
    return this._str ?? `${Number(this.final)}${Object.keys(this.edges).sort().map((sign) => `${sign}${this.edges[sign].id};`).join("")}`;
  };
  lunr.Builder.prototype.add = function (...document) {
    if (!this.folds) this.pipeline.add(folded);
    this.folds = true;
    return add.apply(this, document);
  };
}

/** The words by which to look. Little words and single letters would find every word that they begin ("of": "offs"). */
function prepared(query) {
  latest = query;
  asked = wordsOf(bareIdentifier(query));
  const telling = asked.filter((word) => word.length > 1 && lunr.stopWordFilter(word));
  return (telling.length ? telling : asked).join(" ");
}

/** 6 if a name of it is the words, 5 if the title begins with them, 4 if it holds them as a phrase, 3 if all of them, 2
 * and 1 if the text does; `end` closes each word. */
function held({ names, title, text }, end) {
  const phrase = ` ${asked.join(" ")}${end}`;
  const hasAll = (words) => asked.every((word) => words.includes(` ${word}${end}`));
  if (names.some((name) => (end === " " ? name === phrase : name.startsWith(phrase)))) return 6;
  if (title.startsWith(phrase)) return 5;
  if (title.includes(phrase)) return 4;
  if (hasAll(title)) return 3;
  if (text.includes(phrase)) return 2;
  return hasAll(title + text) ? 1 : 0;
}

const flat = (text) => ` ${wordsOf(text).join(" ")} `;

/** What a page or section is called: its title and the parts before and after a colon, the word in its address, and
 * what the glossary lists as its other names. */
function namesOf(location, { title, text }) {
  if (/#/.test(location) && !/^glossary\//.test(location)) return []; // a section is a part of something
  const [, method] = /^methods\/([^/#]+)\/$/.exec(location) ?? [];
  const [, others] = /^glossary\/#/.test(location) ? /Also called (.*?)\.(?:\s|$)/.exec(plain(text)) ?? [] : [];
  return [title, ...plain(title).split(/: | \(|\)/), method ?? "", ...(others ?? "").split(", ")]
    .filter(Boolean).map((name) => flat(plain(name)));
}

/** Text of HTML, near enough to compare words. */
const plain = (html) => (html ?? "").replace(/<[^>]*>/g, "").replace(/&\w+;/g, " ");

/** How well a page fits the latest query: half a step less where it only has longer words that begin like those asked. */
function fit({ location }) {
  const page = pages.get(location);
  page.words ??= { names: namesOf(location, page), title: flat(page.title), text: flat(page.text ?? "") };
  return Math.max(held(page.words, " "), held(page.words, "") - 0.5);
}

// What results are grouped by: the folder of their address. Where they fit equally well, in this order.
const KINDS = ["methods", "glossary", "guides", "taxonomy", "papers"];
const kindOf = ({ location }) => {
  const kind = KINDS.indexOf(location.split("/", 1)[0]);
  return kind < 0 ? KINDS.length : kind;
};

/** The theme puts sections under their page; a term that is called as the words say stands alone. */
function apart(group, called) {
  if (KINDS[kindOf(group[0])] !== "glossary") return [group];
  const rest = group.filter((term) => fit(term) < called);
  return [...group.filter((term) => fit(term) >= called).map((term) => [term]), ...(rest.length ? [rest] : [])];
}

/** The results of the theme, which sorted them by lunr's score. First, by kind, what is called as the words say, or
 * else holds them in its title: the kind before the others that fits best. Then by how well they fit what has the words
 * in its text, tagged so. Equal ones keep their order. */
function ranked(items) {
  const best = Math.max(...items.flat().map(fit));
  const called = [3.5, 2.5].find((least) => best >= least) ?? Infinity; // a phrase of its title; all words of it
  const all = items.flatMap((group) => apart(group, called)).map((group) => {
    return { group, kind: kindOf(group[0]), fit: Math.max(...group.map(fit)) };
  });
  const of = KINDS.map(() => 0).concat(0); // the best fit of each kind
  for (const one of all) of[one.kind] = Math.max(of[one.kind], one.fit);
  const first = all.filter((one) => one.fit >= called)
    .sort((a, b) => of[b.kind] - of[a.kind] || a.kind - b.kind || b.fit - a.fit);
  const isPaper = ({ kind }) => Number(KINDS[kind] === "papers"); // its summary is short, so a word in it weighs more
  const then = all.filter((one) => one.fit < called).sort((a, b) => b.fit - a.fit || isPaper(b) - isPaper(a));
  const tagged = ({ group }) => group.map((item) => ({ ...item, tags: ["in the text"] }));
  return [...first.map(({ group }) => group), ...then.map(tagged)];
}

// Added before the theme's own listener, and so called before it.
addEventListener("message", (event) => {
  const { type, data, ready } = event.data;
  if (type === SETUP) {
    foldIndex();
    chinese = data.docs.some(({ location }) => location.startsWith("zh/"));
    for (const page of data.docs) pages.set(page.location, { title: page.title, text: page.text });
  } else if (type === QUERY && !ready) {
    event.stopImmediatePropagation();
    dispatchEvent(new MessageEvent("message", { data: { ...event.data, data: prepared(data), ready: true } }));
  }
});

/** Opens the index of the papers. */
async function openFinder() {
  const response = await fetch(new URL("find.json", DATA), { cache: "no-cache" });
  if (!response.ok) throw new Error(`${response.status} for ${response.url}`);
  return new Finder(DATA, await response.json(), (word) => lunr.stemmer(new lunr.Token(word)).toString());
}

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt()};`);
const marked = (text, words) => pieces(text).map((piece) => {
  return piece && words.has(fold(piece)) ? `<mark>${escaped(piece)}</mark>` : escaped(piece);
}).join("");

/** A paper as a result of the theme; what it is called by is kept for `fit`. */
function paperItem({ k: key, t: title, n: name, a: authors, s: summary, v: venue, ids }, words) {
  const location = `papers/${key}/`;
  const text = [name, (authors ?? []).join(", "), venue, summary].filter(Boolean).join(" · ");
  if (!pages.has(location)) pages.set(location, { title: escaped(title), text: escaped([text, key, ...ids ?? []].join(" ")) });
  return { location, title: marked(title, words), text: marked(text, words), score: 1, terms: termsAsked() };
}

const termsAsked = () => Object.fromEntries(asked.map((word) => [word, true]));

/** What leads to all papers found where there are more than the header lists. */
function moreItem(query, number) {
  const count = number.toLocaleString("en");
  const title = chinese ? `${count} 篇论文含有这些词：在论文浏览器中查看` : `${count} papers have these words: see them in the explorer`;
  return { location: `papers/?text=${encodeURIComponent(query)}`, title, text: "", score: 0, terms: termsAsked() };
}

/** The best papers as results of the theme, and where there are more. */
async function papersFor(query) {
  finder ??= openFinder().catch((error) => {
    finder = undefined; // the next query tries again
    throw error;
  });
  const papers = await finder;
  const found = await papers.find(query);
  if (!found) return { best: [], more: [] };
  const rows = await papers.cards(found.ranked.slice(0, PAPERS_SHOWN));
  const number = found.ranked.length;
  return { best: rows.map((row) => [paperItem(row, found.words)]),
    more: number > PAPERS_SHOWN ? [[moreItem(query, number)]] : [] };
}

const send = self.postMessage.bind(self);
self.postMessage = async (message) => {
  if (message.type !== RESULT || !asked.length) return send(message);
  const query = latest;
  let papers = { best: [], more: [] };
  try {
    papers = await papersFor(query);
  } catch (error) {
    console.warn("Search: the papers could not be searched.", error);
  }
  if (query !== latest) return undefined; // the reader has asked for something else meanwhile
  message.data.items = [...ranked([...message.data.items, ...papers.best]), ...papers.more];
  return send(message);
};
