/**
 * The papers explorer without its page: reading the data, filtering and the URL. It touches no element, so it can be tested
 * outside a browser. Papers are numbers here, newest first; finder.js finds them by words, and fetches their cards.
 */

import { cutWords, fold } from "./words.js";

/** The levels of the topic tree, each with its own URL parameter and filter group. */
export const LEVELS = [
  { id: "stage", name: "Stage" },
  { id: "category", name: "Category" },
  { id: "family", name: "Family" },
];
/** The flat facets. */
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
  { id: "code", name: "Code" },
  { id: "verified", name: "Checked" },
];
export const SORTS = {
  relevance: "Relevance", newest: "Newest first", oldest: "Oldest first", cited: "Most cited", title: "Title A–Z",
  name: "Name A–Z",
};

/**
 * @typedef {{ name: string, url: string | null }} Repo
 * @typedef {{ id: string, name: string, level: number, parent: Topic | null, stage: string }} Topic
 * @typedef {{ id: string, name: string, labels: Map<string, string>, counts: Map<string, number>, texts: string[] }} Facet
 * @typedef {{ key: string, title: string, name: string, authors: string[], date: string, venue: string, summary: string,
 *   cited: number | null, counted: string, repos: Repo[], stage: string, categories: string[], kind: string,
 *   verified: boolean }} Paper
 * @typedef {{ topics: Map<string, Topic>, facets: Facet[], total: number, years: number[], cited: boolean }} Atlas
 * @typedef {{ papers: Map<string, Uint32Array[]>, years: Uint16Array }} Filed for each facet, the papers of its values
 * @typedef {{ q: string, sort: string, from: number, to: number, picked: Record<string, Set<string>> }} State
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
    const topic = { id, name: text(raw.name) || id, level, parent, stage: parent ? parent.stage : id };
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

/** A row of the data as a card shows it. @param {Atlas} atlas @returns {Paper} */
export function readPaper(atlas, raw) {
  const categories = texts(raw.c);
  const [names, addresses] = [list(raw.code).map(text), list(raw.codeurl).map(webAddress)];
  return {
    key: text(raw.k), title: text(raw.t) || text(raw.k), name: text(raw.n), date: text(raw.d), venue: text(raw.v),
    authors: texts(raw.a), summary: text(raw.s), kind: text(raw.kind), verified: Boolean(raw.ok),
    cited: typeof raw.cites === "number" ? raw.cites : null, counted: text(raw.counted),
    categories: categories.filter((id) => atlas.topics.has(id)),
    stage: atlas.topics.get(categories[0])?.stage ?? "related",
    repos: (names.length ? names : addresses)
      .map((name, n) => ({ name: name || addresses[n], url: addresses[n] ?? null })).filter(({ name }) => name),
  };
}

/** The values of a facet that some paper has, in the vocabulary's order. */
function readFacet({ id, name }, rows) {
  const known = list(rows).filter((row) => text(row?.[0]));
  return {
    id, name, labels: new Map(known.map(([value, label]) => [text(value), text(label) || text(value)])),
    counts: new Map(known.map(([value, , count]) => [text(value), Number(count) || 0])),
    texts: known.map(([, label, , ...others]) => [label, ...others].map(text).join("\n")),
  };
}

/** @returns {Atlas} */
export function readAtlas(json) {
  const topics = readTopics(json.stages);
  const facets = [{ id: "topic", name: "Topic" }, ...FLAT_FACETS].map((facet) => readFacet(facet, json.facets?.[facet.id]));
  const total = Number(json.find?.papers) || 0;
  if (!total) throw new Error("no papers in the data");
  return { topics, facets, total, years: list(json.years).map(Number), cited: Boolean(json.cited) };
}

/** The papers of each value of each facet, and the year of each paper. @param {Atlas} atlas @returns {Filed} */
export function readFiled(atlas, json) {
  const numbers = (gaps) => {
    let last = 0;
    return Uint32Array.from(list(gaps), (gap) => (last += gap));
  };
  const papers = new Map(atlas.facets.map(({ id }) => [id, list(json[id]).map(numbers)]));
  return { papers, years: Uint16Array.from(list(json.year)) };
}

/** The names of what papers are filed under, as the finder asks for them. @param {Atlas} atlas @param {Filed} filed */
export function readLabels(atlas, filed) {
  const named = atlas.facets.filter(({ id }) => !["code", "verified", "relation"].includes(id));
  const labels = named.flatMap((facet) => facet.texts.map((all, n) => {
    const words = cutWords(all);
    return { words: [...new Set(words)], flat: ` ${words.join(" ")} `, papers: filed.papers.get(facet.id)[n] ?? [] };
  }));
  const byYear = new Map();
  filed.years.forEach((year, paper) => (byYear.get(year) ?? byYear.set(year, []).get(year)).push(paper));
  byYear.delete(0);
  for (const [year, papers] of byYear) labels.push({ words: [String(year)], flat: ` ${year} `, papers });
  return {
    of(match, hit) {
      for (const { words, papers } of labels) {
        for (const word of words) {
          const weight = match(word);
          if (weight) hit(papers, weight, word);
        }
      }
    },
    called(words) {
      const phrase = ` ${words.join(" ")} `;
      return labels.filter(({ flat }) => flat.includes(phrase)).flatMap(({ papers }) => [...papers]);
    },
  };
}

// ---------------------------------------------------------------- filtering and sorting

export function isUnder(topic, ancestor) {
  for (let above = topic?.parent; above; above = above.parent) if (above.id === ancestor) return true;
  return false;
}

/** The picks that decide. In the tree a pick is refined, not joined, by picks below it. */
function deciding(atlas, facet, picked) {
  if (facet.id !== "topic") return picked;
  return new Set([...picked].filter((id) => ![...picked].some((other) => isUnder(atlas.topics.get(other), id))));
}

/** Whether a view needs to know what each paper is filed under. @param {State} state */
export const isFiltered = ({ q, from, to, picked }) =>
  Boolean(q || from || to || Object.values(picked).some((values) => values.size));

/** Every paper, in an order; the counts are those that came with the facets. @param {Atlas} atlas
 * @param {number[] | null} order */
export function selectAll(atlas, order) {
  return { shown: order ?? Array.from({ length: atlas.total }, (_, n) => n),
    counts: () => new Map(atlas.facets.map(({ id, counts }) => [id, [...counts.values()]])) };
}

/**
 * Numbers of the papers that pass every facet, and what counts, for each value, how many papers it stands for when the
 * other facets stay as they are: a paper that fails a single facet still counts within that one.
 * @param {Atlas} atlas @param {Filed} filed @param {State} state @param {number[] | null} found by the words, the best
 * first @param {number[] | null} order null: newest first, as they are numbered
 */
export function select(atlas, filed, state, found, order) {
  const OUT = 255; // what is no part of it, whatever the facets say
  const fails = new Uint8Array(atlas.total).fill(found ? OUT : 0);
  for (const paper of found ?? []) fails[paper] = 0;
  const { from, to } = state;
  if (from || to) filed.years.forEach((year, n) => { if (!year || year < from || (to && year > to)) fails[n] = OUT; });
  const active = [];
  for (const facet of atlas.facets) {
    const values = deciding(atlas, facet, state.picked[facet.id]);
    if (!values.size) continue;
    const passes = new Uint8Array(atlas.total);
    [...facet.labels.keys()].forEach((value, n) => {
      if (values.has(value)) for (const paper of filed.papers.get(facet.id)[n]) passes[paper] = 1;
    });
    for (let n = 0; n < fails.length; n++) if (!passes[n] && fails[n] !== OUT) fails[n] += 1;
    active.push([facet.id, passes]);
  }
  const counts = () => new Map(atlas.facets.map(({ id }) => {
    const passes = active.find(([facet]) => facet === id)?.[1];
    const isCounted = (paper) => !fails[paper] || (fails[paper] === 1 && passes && !passes[paper]);
    return [id, filed.papers.get(id).map((papers) => {
      let number = 0;
      for (const paper of papers) if (isCounted(paper)) number += 1;
      return number;
    })];
  }));
  const shown = [];
  if (order) { for (const paper of order) if (!fails[paper]) shown.push(paper); }
  else for (let paper = 0; paper < fails.length; paper++) if (!fails[paper]) shown.push(paper);
  return { shown, counts };
}

/** @param {State} state */
export function sortInForce(state) {
  if (state.sort && (state.sort !== "relevance" || state.q)) return state.sort;
  return state.q ? "relevance" : "newest";
}

/** Whether a piece of a text is one of the words that were found. */
export const isMatch = (piece, words) => words.has(fold(piece));

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
