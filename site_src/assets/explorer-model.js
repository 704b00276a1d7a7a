/**
 * The papers explorer without its page: reading the data, filtering, text search and the URL. It touches no
 * element, so it can be tested outside a browser.
 */

import { bareIdentifier, fold } from "./words.js";

/** The levels of the topic tree, each with its own URL parameter and filter group. */
export const LEVELS = [
  { id: "stage", name: "Stage" },
  { id: "category", name: "Category" },
  { id: "family", name: "Family" },
];
/** The flat facets; `only` is the one value of a yes/no facet. */
export const FLAT_FACETS = [
  { id: "venue", name: "Venue" },
  { id: "benchmark", name: "Benchmark" },
  { id: "model", name: "Model" },
  { id: "relation", name: "Relation" },
  { id: "kind", name: "Kind" },
  { id: "access", name: "Model access" },
  { id: "supervision", name: "Supervision" },
  { id: "task", name: "Task" },
  { id: "goal", name: "Goal" },
  { id: "theme", name: "Theme" },
  { id: "code", name: "Code", only: "Has code" },
  { id: "verified", name: "Checked", only: "Verified" },
];
export const SORTS = {
  relevance: "Relevance", newest: "Newest first", oldest: "Oldest first", cited: "Most cited", title: "Title A–Z",
  name: "Name A–Z",
};

/**
 * @typedef {{ name: string, url: string | null }} Repo
 * @typedef {{ id: string, name: string, level: number, parent: Topic | null, stage: string,
 *   names: string }} Topic
 * @typedef {{ id: string, name: string, labels: Map<string, string>, codes: Map<string, number> }} Facet
 * @typedef {{ i: number, key: string, title: string, name: string, authors: string[], date: string, year: number,
 *   venue: string, summary: string, whole: boolean, cited: number | null, counted: string, labels: string,
 *   repos: Repo[], stage: string, values: Record<string, string[]>, codes: number[][] }} Paper
 * @typedef {{ topics: Map<string, Topic>, facets: Facet[], papers: Paper[], years: number[], codes: number, venues: object,
 *   orders: Map<string, Paper[]> }} Atlas
 * @typedef {{ q: string, sort: string, from: number, to: number, picked: Record<string, Set<string>> }} State
 * @typedef {{ ranked: number[], terms: Map<number, Set<string>>, loose: boolean }} Hits
 */

// ---------------------------------------------------------------- reading the data

export const text = (value) => (typeof value === "string" || typeof value === "number" ? String(value).trim() : "");
const list = (value) => (Array.isArray(value) ? value : []);
const texts = (value) => list(value).map(text).filter(Boolean);

/** @returns {string | null} the address if it is an absolute http(s) one */
function webAddress(value) {
  try {
    const url = new URL(text(value));
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** @returns {Map<string, Topic>} stages, categories and families in reading order, by id */
function readTopics(stages) {
  const topics = new Map();
  const add = (level, raw, id, parent) => {
    const name = text(raw.name) || id;
    const names = [name, ...texts(raw.synonyms)].join(", ");
    const topic = { id, name, level, parent, stage: parent ? parent.stage : id, names };
    topics.set(id, topic);
    return topic;
  };
  for (const rawStage of list(stages)) {
    const stage = add(0, rawStage, text(rawStage.id), null);
    for (const rawCategory of list(rawStage.categories)) {
      const category = add(1, rawCategory, text(rawCategory.id), stage);
      // A family's id may recur under another category, so its category is part of its identity here.
      for (const raw of list(rawCategory.families)) add(2, raw, `${category.id}/${text(raw.id)}`, category);
    }
  }
  return topics;
}

/** Every topic a paper counts for: its categories, their stages, and its family under the primary one. */
function topicsOf(topics, categories, family) {
  const found = new Set();
  for (const id of [...categories, `${categories[0]}/${family}`]) {
    for (let topic = topics.get(id); topic; topic = topic.parent) found.add(topic.id);
  }
  return [...found];
}

/** @returns {Paper} */
function readPaper(raw, i, topics, whole) {
  const categories = texts(raw.c);
  return {
    i, key: text(raw.k), title: text(raw.t) || text(raw.k), name: text(raw.n), date: text(raw.d) || text(raw.y),
    year: Number(raw.y) || 0, venue: text(raw.v), labels: "", whole, ...detailsOf(raw),
    cited: typeof raw.cites === "number" ? raw.cites : null, counted: text(raw.counted),
    stage: topics.get(categories[0])?.stage ?? "related",
    values: {
      topic: topicsOf(topics, categories, text(raw.f)), kind: texts([raw.kind]), access: texts([raw.access]),
      venue: texts(raw.venue), benchmark: texts(raw.bench), model: texts(raw.model), relation: texts(raw.rel),
      supervision: texts([raw.sup]), task: texts(raw.task), goal: texts(raw.goal), theme: texts(raw.theme),
      code: raw.hascode ? ["1"] : [], verified: raw.ok ? ["1"] : [],
      category: categories.filter((id) => topics.has(id)),
    },
  };
}

/** What only a paper's card shows. */
function detailsOf(raw) {
  const [names, addresses] = [list(raw.code).map(text), list(raw.codeurl).map(webAddress)];
  const repos = (names.length ? names : addresses)
    .map((name, n) => ({ name: name || addresses[n], url: addresses[n] ?? null })).filter(({ name }) => name);
  return { authors: texts(raw.a), summary: text(raw.s), repos };
}

/** Gives the papers what the first file left out, and words to find them by. @param {Atlas} atlas */
export function addLater(atlas, json) {
  for (const paper of atlas.papers) {
    if (Object.hasOwn(json.details, paper.key)) Object.assign(paper, detailsOf(json.details[paper.key]));
    paper.whole = true;
    const words = Object.hasOwn(json.words, paper.key) ? texts(json.words[paper.key]) : [];
    paper.labels = [...labelsOf(atlas, paper), ...words].join("\n");
  }
}

/** What a paper is filed under, with every name of it: facets, year, topics' synonyms, the venue's full name. */
function labelsOf(atlas, paper) {
  const named = atlas.facets.filter(({ id }) => !["topic", "code", "verified", "relation"].includes(id));
  const facets = named.flatMap(({ id, labels }) => paper.values[id].map((value) => labels.get(value)));
  const topics = paper.values.topic.map((id) => atlas.topics.get(id).names);
  const venues = paper.values.venue.map((id) => (Object.hasOwn(atlas.venues, id) ? text(atlas.venues[id]) : ""));
  return [paper.venue, ...venues, ...topics, ...facets, String(paper.year || "")].filter(Boolean);
}

/** The values of a facet that some paper has, in the vocabulary's order; unlabelled ones follow. */
function readFacet({ id, name, only }, labels, papers) {
  const used = new Set(papers.flatMap((paper) => paper.values[id]));
  const named = only ? { 1: only } : labels?.[id] ?? {};
  const known = Object.keys(named).filter((value) => used.has(value));
  const label = (value) => (known.includes(value) && text(named[value])) || value;
  return { id, name, labels: new Map([...known, ...used].map((value) => [value, label(value)])) };
}

/** @returns {Atlas} */
export function readAtlas(json) {
  const topics = readTopics(json.stages);
  const whole = Number(json.whole) || 0;
  const rows = list(json.papers).filter((raw) => raw && text(raw.k));
  const papers = rows.map((raw, i) => readPaper(raw, i, topics, i < whole));
  if (!papers.length) throw new Error("no papers in the data");
  const topicLabels = new Map([...topics].map(([id, topic]) => [id, topic.name]));
  const flat = FLAT_FACETS.map((facet) => readFacet(facet, json.labels, papers));
  const facets = [{ id: "topic", name: "Topic", labels: topicLabels }, ...flat];
  // Every value of every facet gets a number, so that filtering need not compare strings.
  let codes = 0;
  for (const facet of facets) facet.codes = new Map([...facet.labels.keys()].map((value) => [value, codes++]));
  for (const paper of papers) paper.codes = facets.map(({ id, codes: all }) => paper.values[id].map((v) => all.get(v)));
  const years = [...new Set(papers.map((paper) => paper.year).filter(Boolean))].sort((a, b) => b - a);
  return { topics, facets, papers, years, codes, venues: json.venues ?? {}, orders: new Map() };
}

// ---------------------------------------------------------------- filtering and sorting

const alphabetical = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
const byCode = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The papers in one order; each order is worked out once. Papers without the field come last in all of them. */
function ordered(atlas, sort) {
  if (!atlas.orders.has(sort)) {
    const field = { title: "title", name: "name", cited: "cited" }[sort] ?? "date";
    const compare = field === "date" || field === "cited" ? byCode : alphabetical;
    const sign = sort === "newest" || sort === "cited" ? -1 : 1;
    const unknown = (paper) => paper[field] === null || paper[field] === "";
    // The newest come in the order of the file, whose first ones are whole: those of one date, too.
    const rest = sort === "newest" ? (a, b) => a.i - b.i : (a, b) => alphabetical(a.title, b.title);
    atlas.orders.set(sort, [...atlas.papers].sort((a, b) =>
      unknown(a) - unknown(b) || sign * compare(a[field], b[field]) || rest(a, b)));
  }
  return atlas.orders.get(sort);
}

export function isUnder(topic, ancestor) {
  for (let above = topic?.parent; above; above = above.parent) if (above.id === ancestor) return true;
  return false;
}

/** The picks that decide. In the tree a pick is refined, not joined, by picks below it. */
function deciding(atlas, facet, picked) {
  if (facet.id !== "topic") return picked;
  return new Set([...picked].filter((id) => ![...picked].some((other) => isUnder(atlas.topics.get(other), id))));
}

/**
 * Papers that pass every facet, and for each value the number of papers it stands for when the other facets stay
 * as they are: a paper that fails a single facet still counts within that one.
 * @param {Atlas} atlas @param {State} state @param {Hits | null} hits
 */
export function select(atlas, state, hits) {
  const [counts, wanted] = [new Uint32Array(atlas.codes), new Uint8Array(atlas.codes)];
  const active = [];
  atlas.facets.forEach((facet, n) => {
    const values = deciding(atlas, facet, state.picked[facet.id]);
    for (const value of values) wanted[facet.codes.get(value)] = 1;
    if (values.size) active.push(n);
  });
  const passes = (code) => wanted[code];
  const sort = sortInForce(state);
  const byRelevance = sort === "relevance" && hits;
  const papers = byRelevance ? hits.ranked.map((i) => atlas.papers[i]) : ordered(atlas, sort);
  const shown = [];
  for (const paper of papers) {
    if (hits && !hits.terms.has(paper.i)) continue;
    if ((state.from && paper.year < state.from) || (state.to && !(paper.year && paper.year <= state.to))) continue;
    const failed = active.filter((n) => !paper.codes[n].some(passes));
    if (!failed.length) shown.push(paper);
    const countIn = failed.length ? failed.map((n) => paper.codes[n]) : paper.codes;
    if (failed.length < 2) for (const codes of countIn) for (const code of codes) counts[code] += 1;
  }
  return { shown, counts };
}

/** @param {State} state */
export function sortInForce(state) {
  if (state.sort && (state.sort !== "relevance" || state.q)) return state.sort;
  return state.q ? "relevance" : "newest";
}

// ---------------------------------------------------------------- free text

/** Words that nearly every paper has: they would cost a third of the index and say nothing. */
const STOPWORDS = new Set(["a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "in", "into", "is",
  "it", "its", "of", "on", "or", "than", "that", "the", "their", "this", "to", "which", "with"]);

/** Porter's, which comes with the index. */
let stemmer = (term) => term;

/** The forms of a word that the index holds: as it is and as its stem; none of a word that says nothing. */
function indexTerms(word) {
  const term = fold(word);
  return term && !STOPWORDS.has(term) ? [...new Set([term, stem(term)])] : null;
}

/** "routing" and "routes" are looked for as "rout"; what holds a digit is meant as it is. */
const stem = (term) => (/\d/.test(term) ? term : stemmer(term));

const hasDigit = (term) => /\d/.test(term);
const isLong = (term) => term.length >= 5;

/** The words of a string; pairs that a hyphen holds together as one word, too, so that "multiagent" finds "multi-agent". */
function indexedWords(string) {
  const words = wordsOf(string);
  const pairs = [...string.matchAll(/(?<![\p{L}\p{N}])(?=([\p{L}\p{N}]+)[-‐‑]([\p{L}\p{N}]+))/gu)];
  return [...words, ...pairs.map(([, one, two]) => one + two)];
}

/** "FrugalGPT" is looked for as "Frugal GPT" too, and "Co-LLM" as "CoLLM". */
function nameForms(name) {
  return [name, name.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2"), name.replace(/[^\p{L}\p{N}]+/gu, "")].join(" ");
}

export async function buildIndex(papers) {
  const libraries = [import("./vendor/minisearch.js"), import("./vendor/stemmer.js")];
  const [{ default: MiniSearch }, porter] = await Promise.all(libraries);
  stemmer = porter.stemmer;
  const index = new MiniSearch({
    idField: "i",
    fields: ["name", "title", "authors", "summary", "key", "labels"],
    extractField: (paper, field) => {
      if (field === "name") return nameForms(paper.name);
      return Array.isArray(paper[field]) ? paper[field].join(" ") : paper[field];
    },
    tokenize: indexedWords,
    processTerm: indexTerms,
    searchOptions: {
      boost: { name: 5, title: 3, key: 2, labels: 2, authors: 1.5 },
      tokenize: wordsOf,
      processTerm: (word) => indexTerms(word)?.at(-1),
      // a number is meant as it is: "gpt-4" is not "41"
      prefix: (term) => !hasDigit(term) || isLong(term),
    },
  });
  // In slices, so that typing and scrolling go on meanwhile.
  await index.addAllAsync(papers, { chunkSize: 200 });
  return index;
}

/** What to ask for one word of the query: its parts, or the word that they make together. */
function asked(word) {
  const parts = wordsOf(word).filter(indexTerms);
  if (parts.length < 2 || /[^\p{L}\p{N}‐‑-]/u.test(word)) return parts;
  return [{ combineWith: "OR", queries: [{ combineWith: "AND", queries: parts }, parts.join("")] }];
}

const FEW = 5; // papers found, so that words with a typing error may be meant
const guessed = (term) => (isLong(term) && !hasDigit(term) ? 0.2 : false);

/** Papers with all the words or, if there are none, with any of them; first what holds them side by side.
 * @param {Paper[]} papers @returns {Hits | null} null: no word to go by */
export function findHits(index, query, papers) {
  const q = bareIdentifier(query);
  const queries = q.split(/\s+/).flatMap(asked);
  if (!queries.length) return null;
  let found = index.search({ combineWith: "AND", queries });
  if (found.length < FEW) found = index.search({ combineWith: "AND", queries }, { fuzzy: guessed });
  const loose = !found.length && queries.length > 1;
  if (loose) found = index.search({ combineWith: "OR", queries }, { fuzzy: guessed });
  const phrase = flat(q);
  const weight = ({ id, score }) => score * besides(papers[id], phrase);
  found = found.map((hit) => ({ ...hit, weight: weight(hit) })).sort((a, b) => b.weight - a.weight);
  const terms = new Map(found.map((hit) => [hit.id, new Set(hit.terms)]));
  return { ranked: found.map((hit) => hit.id), terms, loose };
}

/** How much more a paper counts whose name is the query, or that holds it as a phrase. */
function besides(paper, phrase) {
  paper.flat ??= { name: flat(paper.name), title: flat(paper.title), labels: flat(paper.labels) };
  const { name, title, labels } = paper.flat;
  if (name === phrase) return 20;
  if (title.startsWith(phrase)) return 8;
  if (title.includes(phrase)) return 5;
  return labels.includes(phrase) ? 3 : 1;
}

/** Folded words between blanks, so that one text can be looked for in another. */
const flat = (string) => ` ${wordsOf(string).map(fold).join(" ")} `;

/** Whether the index's terms that a search matched hold this piece of a text. */
export const isMatch = (piece, terms) => {
  const term = fold(piece);
  return terms.has(term) || (!hasDigit(term) && terms.has(stem(term)));
};

/** Splits at what stands between words, so that the words that were matched can be marked. */
export const pieces = (string) => string.split(/([\n\r\p{Z}\p{P}]+)/u);
const wordsOf = (string) => pieces(string).filter((piece) => /[\p{L}\p{N}]/u.test(piece));

// ---------------------------------------------------------------- the address bar

/** Ids that a topic goes by in the URL: a family drops its category where its own id says enough. */
function topicSlug(atlas, topic) {
  if (topic.level < 2) return topic.id;
  const slug = topic.id.slice(topic.parent.id.length + 1);
  const twins = [...atlas.topics.values()].filter((other) => other.level === 2 && other.id.endsWith(`/${slug}`));
  return twins.length > 1 ? topic.id : slug;
}

/** @returns {State} what the query string asks for; what it asks for in vain is left out */
export function readUrl(atlas, search) {
  const params = new URLSearchParams(search);
  const values = (name) => params.getAll(name).flatMap((value) => value.split(",")).map((value) => value.trim());
  const year = (name) => atlas.years.find((known) => String(known) === params.get(name)) ?? 0;
  const picked = Object.fromEntries(atlas.facets.map(({ id, labels }) =>
    [id, new Set(id === "topic" ? [] : values(id).filter((value) => labels.has(value)))]));
  for (const topic of atlas.topics.values()) {
    const asked = values(LEVELS[topic.level].id);
    if (!asked.includes(topic.id) && !asked.includes(topicSlug(atlas, topic))) continue;
    picked.topic.add(topic.id);
    // A family is offered under its picked category only.
    if (topic.level === 2) picked.topic.add(topic.parent.id);
  }
  const [from, to] = [year("from"), year("to")];
  const swap = from && to && from > to;
  const sort = Object.hasOwn(SORTS, params.get("sort") ?? "") ? params.get("sort") : "";
  return { q: (params.get("text") ?? "").trim(), sort, from: swap ? to : from, to: swap ? from : to, picked };
}

/** @param {State} state @returns {string} the page's address with this view; other parameters stay */
export function viewAddress(atlas, state) {
  const url = new URL(location.href);
  const topics = [...atlas.topics.values()].filter((topic) => state.picked.topic.has(topic.id));
  const parts = { text: state.q };
  LEVELS.forEach(({ id }, level) => {
    parts[id] = topics.filter((topic) => topic.level === level).map((topic) => topicSlug(atlas, topic)).join(",");
  });
  Object.assign(parts, { from: state.from, to: state.to });
  for (const { id } of FLAT_FACETS) parts[id] = [...state.picked[id]].join(",");
  parts.sort = state.sort === "relevance" && !state.q ? "" : state.sort;
  for (const [name, value] of Object.entries(parts)) {
    url.searchParams.delete(name);
    if (value) url.searchParams.set(name, value);
  }
  // Slashes and commas are allowed in a query, and the link reads better with them.
  url.search = url.search.replace(/%2F/gi, "/").replace(/%2C/gi, ",");
  return url.href;
}
