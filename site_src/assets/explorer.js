/**
 * The papers explorer: facets, free text and result cards over explorer.json and the files that it names, which are fetched
 * when they are wanted (scripts/render/knowledge/explorer.py).
 *
 * Everything in those files is untrusted: it reaches the page as text nodes, as attribute values and as
 * links whose scheme was checked, never as markup. Load this file as a plain (deferred, not async) module.
 */

import { counted, el, fetchJson } from "./dom.js";
import {
  LEVELS, SORTS, text, readAtlas, readPaper, readFiled, readLabels, isUnder, isFiltered, isMatch, select, selectAll,
  sortInForce, readUrl, viewAddress,
} from "./explorer-model.js";
import { basketButton, basketLink } from "./basket.js";
import { Finder } from "./finder.js";
import { fold, pieces } from "./words.js";

const PAGE = 20;
/** The cards that a screen shows are drawn at once; what is below them and beside them follows when the reader sees these. */
const FIRST = 6;
/** Where an answer takes longer than SLOW_MS, as on a slow network, the next waits until the reader pauses. */
const [SLOW_MS, TYPING_PAUSE_MS] = [60, 150];
const AUTHORS_SHOWN = 3;
/** A facet with more values than this shows the most frequent ones, and a box to look for others. */
const VALUES_SHOWN = 8;
/** A status says that it waits only where a reader would notice. */
const WAIT_MS = 150;
const RENEWED = "The data could not be loaded. If the site was renewed meanwhile, loading this page again helps.";
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
  "October", "November", "December"];

/** Outlines on a 24 x 24 grid, drawn as strokes. */
const ICONS = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5 20 20",
  filter: "M4 6h16M7 12h10M10 18h4",
  cross: "M6 6l12 12M18 6 6 18",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  code: "M8 7l-5 5 5 5M16 7l5 5-5 5",
  yes: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M8 12.5l3 3 5.5-6.5",
  no: "M5 5h14v14H5zM12 8.5v4.5M12 15.5v.5",
};

/** @typedef {import("./explorer-model.js").Atlas} Atlas */
/** @typedef {import("./explorer-model.js").Paper} Paper */

// ---------------------------------------------------------------- building elements

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "atlas-x-icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** The string as nodes, with the words that the search found in <mark>. What stands between two marks is one node: the
 * browser lays out few nodes much faster than one a word. */
function highlight(string, words) {
  if (!words) return [string];
  const nodes = [""];
  for (const piece of pieces(string)) {
    if (piece && isMatch(piece, words)) nodes.push(el("mark", {}, piece), "");
    else nodes[nodes.length - 1] += piece;
  }
  return nodes;
}

/** Comes when the browser has shown what was drawn and has nothing better to do. */
const whenIdle = () => new Promise((resolve) => {
  if (window.requestIdleCallback) requestIdleCallback(resolve, { timeout: 200 });
  else setTimeout(resolve, 50);
});

/** A text that stands there already is left alone: the browser would lay it out anew. */
function tell(node, string) {
  if (node.textContent !== string) node.textContent = string;
}

function button(label, iconName, onClick, attributes = {}) {
  return el("button", { type: "button", class: "atlas-x-button", click: onClick, ...attributes },
    iconName && icon(iconName), el("span", {}, label));
}

/** "2024-06-26" as "26 June 2024"; shorter dates stay as vague as they are. */
function dateElement(date) {
  const [, year, month, day] = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(date) ?? [];
  if (!year) return el("span", {}, date || "Date unknown");
  const parts = [day && String(Number(day)), month && MONTHS[month - 1], year];
  return el("time", { datetime: date }, parts.filter(Boolean).join(" "));
}

/** The first authors, how many more, and those of the others whom the search found. */
function authorsElement(authors, words) {
  const rest = authors.slice(AUTHORS_SHOWN);
  const isFound = (name) => words && pieces(name).some((piece) => piece && isMatch(piece, words));
  const matched = rest.filter(isFound).slice(0, 2);
  const content = highlight(authors.slice(0, AUTHORS_SHOWN).join(", "), words);
  if (rest.length) content.push(` and ${rest.length} more`);
  if (matched.length) content.push(", with ", ...highlight(matched.join(" and "), words));
  return el("span", { class: "atlas-x-card-authors" }, content);
}

function repoElement({ name, url }) {
  const link = url && { href: url, rel: "noopener", "aria-label": `Code: ${name}` };
  return el(url ? "a" : "span", { class: "atlas-x-code", ...link }, icon("code"), el("span", {}, name));
}

/** Cut to some lines, but where a word in it was found: it must not hide behind the cut. */
function summaryElement(paper, words) {
  const nodes = highlight(paper.summary, words);
  return paper.summary && el("p", { class: "atlas-x-card-summary", "data-whole": nodes.length > 1 }, nodes);
}

/** @param {Paper} paper @param {Set<string> | undefined} words to mark */
function cardElement(atlas, root, paper, words) {
  const href = new URL(`papers/${encodeURIComponent(paper.key)}/`, root).href;
  const named = paper.name && !paper.title.startsWith(paper.name);  // most titles open with the name: once is enough
  const kinds = atlas.facets.find(({ id }) => id === "kind").labels;
  const tag = ({ name, stage }) => el("span", { class: "atlas-x-tag", "data-stage": stage }, name);
  return el("li", { class: "atlas-x-card", "data-stage": paper.stage },
    el("p", { class: "atlas-x-card-top" },
      paper.categories.map((id) => tag(atlas.topics.get(id))),
      el("span", { class: "atlas-x-card-date" }, dateElement(paper.date))),
    el("h3", { class: "atlas-x-card-title" },
      named && el("span", { class: "atlas-x-name" }, highlight(paper.name, words)), named && " ",
      el("a", { href }, highlight(paper.title, words))),
    el("p", { class: "atlas-x-card-by" }, authorsElement(paper.authors, words),
      paper.venue && el("span", { class: "atlas-x-card-venue" }, highlight(paper.venue, words))),
    summaryElement(paper, words),
    el("p", { class: "atlas-x-card-foot" },
      el("span", { class: "atlas-x-mark", "data-ok": String(paper.verified) },
        icon(paper.verified ? "yes" : "no"), paper.verified ? "Verified" : "Not verified"),
      paper.kind && el("span", {}, kinds.get(paper.kind) ?? paper.kind),
      paper.cited !== null && el("span", { title: paper.counted }, `Cited ${counted(paper.cited, "time")}`),
      paper.repos.map(repoElement), basketButton(paper.key, paper.title)));
}

// ---------------------------------------------------------------- the explorer

class Explorer {
  /** @param {HTMLElement} host @param {Atlas} atlas @param {object} json what the atlas was read from
   * @param {string} search the query string to begin with */
  constructor(host, atlas, json, search, signal) {
    this.atlas = atlas;
    this.root = new URL(host.dataset.root || "./", document.baseURI);
    this.data = new URL(host.dataset.src, document.baseURI);
    this.find = json.find;
    this.first = json.papers;
    this.rows = new Map(atlas.facets.map((facet) => [facet.id, new Map()]));
    this.badges = [];
    this.longGroups = [];
    this.finder = null;
    this.shown = [];
    this.asked = 0;
    this.state = readUrl(atlas, search);
    this.page = PAGE;
    host.replaceChildren(el("div", { class: "atlas-x-layout" },
      this.searchForm(), this.filterPanel(), this.resultSection()));
    this.listen(signal);
    this.syncControls();
    this.refresh();
  }

  // ---- parts of the page

  searchForm() {
    this.input = el("input", {
      type: "search", id: "atlas-q", class: "atlas-x-input", autocomplete: "off", spellcheck: "false",
      placeholder: "Title, author, venue, model, benchmark, arXiv id …", "aria-keyshortcuts": "/",
      focus: () => this.prepare().catch(() => {}), input: () => this.typed(), keydown: (event) => this.searchKey(event),
    });
    this.filterButton = button("Filters", "filter", () => this.togglePanel(),
      { class: "atlas-x-button atlas-x-filters-button", "aria-expanded": "false", "aria-controls": "atlas-x-filters" });
    const onSubmit = (event) => event.preventDefault();
    return el("form", { class: "atlas-x-search", role: "search", "aria-label": "Papers", submit: onSubmit },
      el("label", { for: "atlas-q" }, "Search the papers"),
      el("div", { class: "atlas-x-search-box" }, icon("search"), this.input, el("kbd", { "aria-hidden": "true" }, "/")),
      this.filterButton);
  }

  filterPanel() {
    const flat = (id, open) => this.group(this.facet(id).name, [id], open);
    this.yearSelects = ["from", "to"].map((end) => this.yearSelect(end));
    const years = el("div", { class: "atlas-x-years" }, this.yearSelects.map(({ label }) => label));
    const done = { class: "atlas-x-button atlas-x-done-button" };
    this.doneButton = button("Show papers", null, () => this.togglePanel(), done);
    this.panel = el("section", { id: "atlas-x-filters", class: "atlas-x-filters", "aria-label": "Filters" },
      button("Skip the filters", null, () => (this.cardLinks()[0] ?? this.input).focus(),
        { class: "atlas-x-button atlas-x-skip" }),
      el("h2", {}, "Filters"),
      this.disclosure(LEVELS[0].name, this.topicsIn().map((stage) => this.topicRow(stage)), true, () => this.pickedTopics(0).length),
      this.disclosure(LEVELS[1].name, this.categoryTree(), true, () => this.pickedTopics(1, 2).length),
      this.disclosure("Year", [years], true, () => !!this.state.from + !!this.state.to),
      ["venue", "benchmark", "model"].map((id) => this.longGroup(id)), flat("relation"),
      flat("kind", true), flat("access"), flat("supervision"), flat("task"), flat("goal"), flat("theme"),
      this.group("Code and checking", ["code", "verified"], true),
      this.doneButton);
    return this.panel;
  }

  facet(id) {
    return this.atlas.facets.find((facet) => facet.id === id);
  }

  /** A facet of many values, made when it is opened: the first ones, those picked, and those that hold what the reader
   * types. */
  longGroup(id) {
    const { name, labels } = this.facet(id);
    if (!labels.size) return null;
    const countPicked = () => this.state.picked[id].size;
    const details = this.disclosure(name, [], false, countPicked);
    const fill = () => {
      details.lastChild.append(...this.longRows(id));
      if (this.counts) this.showCounts(this.counts);
    };
    if (details.open) fill();
    else details.addEventListener("toggle", fill, { once: true });
    return details;
  }

  longRows(id) {
    const { name, labels } = this.facet(id);
    const made = ([value, label]) => ({ value, words: fold(label), node: this.row(id, value, label) });
    const rows = [...labels].map(made);
    let all = rows.length <= VALUES_SHOWN;
    const find = `Find a ${name.toLowerCase()}`;
    const box = !all && el("input", { type: "search", class: "atlas-x-input atlas-x-narrow", autocomplete: "off",
      placeholder: find, "aria-label": find, input: () => show() });
    const list = el("div", {});
    const more = button(`Show all ${rows.length}`, null, () => { all = true; show(); });
    const show = () => {
      const asked = box ? fold(box.value.trim()) : "";
      const picked = this.state.picked[id];
      const isShown = ({ value, words }, n) => (asked ? words.includes(asked) : all || n < VALUES_SHOWN || picked.has(value));
      list.replaceChildren(...rows.filter(isShown).map(({ node }) => node));
      more.hidden = all || Boolean(asked);
    };
    for (const { value, node } of rows) node.querySelector("input").checked = this.state.picked[id].has(value);
    this.longGroups.push(show);
    show();
    return [box, list, more].filter(Boolean);
  }

  group(name, ids, open = false) {
    const rows = ids.flatMap((id) => [...this.facet(id).labels].map(([value, label]) => this.row(id, value, label)));
    return this.disclosure(name, rows, open, () => ids.reduce((sum, id) => sum + this.state.picked[id].size, 0));
  }

  disclosure(name, content, open, countPicked) {
    const badge = el("span", { class: "atlas-x-badge" });
    this.badges.push({ badge, countPicked });
    return el("details", { class: "atlas-x-group", open: open || countPicked() > 0 },
      el("summary", {}, el("span", {}, name), badge),
      el("div", { class: "atlas-x-group-body", role: "group", "aria-label": name }, content.filter(Boolean)));
  }

  /** The stages, or what lies right below a topic. */
  topicsIn(parent = null) {
    return [...this.atlas.topics.values()].filter((topic) => topic.parent === parent);
  }

  topicRow({ id, name, level, stage }) {
    return this.row("topic", id, name, { "data-stage": stage, "data-level": level });
  }

  /** Categories under their stage's name, each followed by its families, which open on demand. */
  categoryTree() {
    this.families = new Map();
    const branch = (category) => {
      const families = this.topicsIn(category);
      const list = families.length > 0 && el("details", { class: "atlas-x-families" },
        el("summary", { "aria-label": `Families of ${category.name}` },
          el("span", {}, counted(families.length, "family", "families"))),
        families.map((family) => this.topicRow(family)));
      if (list) this.families.set(category.id, list);
      return [this.topicRow(category), list];
    };
    this.branches = this.topicsIn().map((stage) =>
      el("div", { class: "atlas-x-branch", role: "group", "aria-label": stage.name, "data-stage": stage.id },
        el("p", { class: "atlas-x-branch-name", "aria-hidden": "true" }, stage.name),
        this.topicsIn(stage).flatMap(branch)));
    return this.branches;
  }

  row(facetId, value, label, attributes = {}) {
    const input = el("input", { type: "checkbox", change: () => this.toggle(facetId, value, input.checked) });
    const count = el("span", { class: "atlas-x-row-count" });
    const name = el("span", { class: "atlas-x-row-name" }, label);
    const node = el("label", { class: "atlas-x-row", ...attributes }, input, name, count);
    this.rows.get(facetId).set(value, { node, input, count });
    return node;
  }

  yearSelect(end) {
    const select = el("select", { class: "atlas-x-input", change: () => this.chooseYear(end, Number(select.value)) },
      el("option", { value: "0" }, "Any"), this.atlas.years.map((year) => el("option", { value: year }, String(year))));
    return { end, select, label: el("label", {}, end === "from" ? "From" : "To", select) };
  }

  resultSection() {
    this.status = el("p", { class: "atlas-x-status", role: "status", "aria-live": "polite" });
    const onSort = () => this.commit({ sort: this.sortSelect.value });
    const sorts = Object.entries(SORTS).filter(([value]) => value !== "cited" || this.atlas.cited)
      .map(([value, label]) => el("option", { value }, label));
    this.sortSelect = el("select", { class: "atlas-x-input", change: onSort }, sorts);
    this.exportButton = button("Export this selection", "save", () => this.exportBibtex(),
      { title: "Download the BibTeX entries of these papers", disabled: true });
    this.chips = el("ul", { class: "atlas-x-chips", role: "list", "aria-label": "Filters in use" });
    this.clearButton = button("Clear all", null, () => this.clear(), { class: "atlas-x-button atlas-x-clear" });
    this.cards = el("ol", { class: "atlas-x-cards", role: "list", keydown: (event) => this.cardKey(event) });
    const more = { class: "atlas-x-button atlas-x-more", hidden: true };
    this.moreButton = button("Show more", null, () => this.showMore(), more);
    this.notice = el("p", { class: "atlas-x-notice", role: "status" });
    this.results = el("section", { class: "atlas-x-results", "aria-label": "Results" },
      el("div", { class: "atlas-x-results-head" }, el("h2", {}, "Papers"), this.status,
        el("label", { class: "atlas-x-sort" }, "Sort by", this.sortSelect)),
      el("div", { class: "atlas-x-chip-row" }, this.chips, this.clearButton),
      el("div", { class: "atlas-x-actions" },
        button("Copy link to this view", "link", () => this.copyLink()), this.exportButton,
        this.basketLink(), this.notice),
      this.cards, this.moreButton);
    return this.results;
  }

  basketLink() {
    const link = basketLink(this.root);
    link.classList.add("atlas-x-button");
    return link;
  }

  // ---- what the reader does

  listen(signal) {
    window.addEventListener("popstate", () => {
      // A jump to an anchor fires this event too, and leaves the view as it is.
      if (viewAddress(this.atlas, this.state) === location.href) return;
      clearTimeout(this.typing);
      this.state = readUrl(this.atlas, location.search);
      this.syncControls();
      this.refresh();
    }, { signal });
    // Material listens for "/" on the window; stopping it at the document gives the key to this box instead.
    document.addEventListener("keydown", (event) => this.slashKey(event), { signal });
  }

  slashKey(event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    const siteSearchOpen = document.querySelector('[data-md-toggle="search"]')?.checked;
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (siteSearchOpen || typing) return;
    event.preventDefault();
    event.stopPropagation();
    this.input.focus();
    this.input.select();
  }

  searchKey(event) {
    if (event.key === "Escape" && this.input.value) {
      event.preventDefault();
      this.input.value = "";
      this.applyTyped();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      this.cardLinks()[0]?.focus();
    }
  }

  cardLinks() {
    return [...this.cards.querySelectorAll(".atlas-x-card-title a")];
  }

  cardKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const card = event.target.closest("a") && event.target.closest(".atlas-x-card");
    if (!step || !card || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = [...this.cards.children].indexOf(card) + step;
    if (next < 0) this.input.focus();
    else (this.cardLinks()[next] ?? this.moreButton).focus();
  }

  typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.applyTyped(), this.slow ? TYPING_PAUSE_MS : 0);
  }

  applyTyped() {
    clearTimeout(this.typing);
    this.state.q = this.input.value.trim();
    this.refresh();
  }

  /** What was typed stands in the address once its papers are shown; a filter stands there at once. */
  keepAddress() {
    const address = viewAddress(this.atlas, this.state);
    try {
      if (address !== location.href) history.replaceState(history.state, "", address);
    } catch {
      // a browser that takes only so many in a minute: the next one says it
    }
  }

  toggle(facetId, value, on) {
    const picked = new Set(this.state.picked[facetId]);
    if (on) picked.add(value);
    else picked.delete(value);
    // A family is one of its category, as an address says it.
    const topic = facetId === "topic" && this.atlas.topics.get(value);
    if (on && topic?.level === 2) picked.add(topic.parent.id);
    if (facetId === "topic" && !on) {
      // What was picked below goes with it: its box would be out of sight.
      for (const id of picked) if (isUnder(this.atlas.topics.get(id), value)) picked.delete(id);
    }
    this.commit({ picked: { ...this.state.picked, [facetId]: picked } });
  }

  /** The other end follows when the range would be empty. */
  chooseYear(end, year) {
    const range = { from: this.state.from, to: this.state.to, [end]: year };
    if (range.from && range.to && range.from > range.to) range[end === "from" ? "to" : "from"] = year;
    this.commit(range);
  }

  clear() {
    this.input.value = "";
    this.commit({ from: 0, to: 0, picked: readUrl(this.atlas, "").picked });
    this.input.focus({ preventScroll: true });
  }

  /** A deliberate change: one step of the browser's history. */
  commit(change) {
    clearTimeout(this.typing);
    const startsAbove = this.results.getBoundingClientRect().top < 0;
    this.state = { ...this.state, q: this.input.value.trim(), ...change };
    const address = viewAddress(this.atlas, this.state);
    if (address !== location.href) history.pushState(null, "", address);
    this.syncControls();
    this.refresh();
    if (startsAbove) this.results.scrollIntoView();
  }

  togglePanel() {
    const open = this.panel.toggleAttribute("data-open");
    this.filterButton.setAttribute("aria-expanded", String(open));
    if (open) return;
    this.filterButton.focus({ preventScroll: true });
    this.filterButton.scrollIntoView({ block: "nearest" });
  }

  async showMore() {
    if (this.results.hasAttribute("aria-busy")) return; // the first ones are not all there yet
    const [first, asked] = [this.page, this.asked];
    try {
      const cards = await this.cardsOf(this.shown.slice(first, first + PAGE));
      if (asked !== this.asked) return;
      this.page = first + PAGE;
      this.cards.append(...this.drawn(cards));
      this.showMoreButton();
      this.cardLinks()[first]?.focus();
    } catch {
      this.say(RENEWED);
    }
  }

  async copyLink() {
    const address = viewAddress(this.atlas, this.state);
    try {
      await navigator.clipboard.writeText(address);
      this.say("Link copied.");
    } catch {
      // No clipboard outside https or without permission.
      window.prompt("Copy this link:", address);
    }
  }

  async exportBibtex() {
    const papers = this.shown;
    try {
      this.bibtex ??= Object.values(await fetchJson(new URL("bibtex.json", this.data))); // in the order of their numbers
      if (this.bibtex.length !== this.atlas.total) throw new Error("the entries are of another version");
      const entries = papers.map((paper) => text(this.bibtex[paper])).filter(Boolean);
      if (!entries.length) return this.say("None of these papers has a BibTeX entry.");
      const file = new Blob([entries.join("\n\n"), "\n"], { type: "application/x-bibtex" });
      const address = URL.createObjectURL(file);
      el("a", { href: address, download: "atlas-selection.bib" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      const missing = papers.length - entries.length;
      this.say(`Saved ${counted(entries.length, "entry", "entries")}${missing ? `; ${missing} without BibTeX` : ""}.`);
    } catch {
      this.say("The BibTeX entries could not be loaded.");
    }
  }

  say(message) {
    this.notice.textContent = message;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { this.notice.textContent = ""; }, 6000);
  }

  // ---- what the reader sees

  /** What a search, a filter or another order needs; the reader who turns to the search need not wait for it then. */
  prepare() {
    this.preparing ??= Promise.all([import("./vendor/stemmer.js"), this.files()]).then(async ([{ stemmer }, files]) => {
      files.stemmer = stemmer;
      this.filed = readFiled(this.atlas, await files.file("facets"));
      this.labels = readLabels(this.atlas, this.filed);
    }).catch((error) => {
      this.preparing = null; // the next one who wants it tries again
      throw error;
    });
    return this.preparing;
  }

  files() {
    this.finder ??= new Finder(this.data, this.find, (word) => word);
    return this.finder;
  }

  /** The cards of some papers as the data has them. @param {number[]} numbers */
  async cardsOf(numbers) {
    const first = numbers.every((number) => number < this.first.length);
    const rows = first ? numbers.map((number) => this.first[number]) : await this.files().cards(numbers);
    return rows.map((row) => readPaper(this.atlas, row));
  }

  /** The papers that the words find; null where no word is asked or none tells anything. */
  async look(q) {
    return q ? this.finder.find(q, this.labels) : null;
  }

  /** What of the state is shown: papers, how to count those of each filter, and the first cards. */
  async view(state, first) {
    const sort = sortInForce(state);
    if (isFiltered(state)) await this.prepare();
    const found = await this.look(state.q);
    const order = sort === "relevance" ? found?.ranked : sort === "newest" ? null : (await this.files().file("orders"))[sort];
    const view = isFiltered(state) ? select(this.atlas, this.filed, state, found?.ranked ?? null, order ?? null)
      : selectAll(this.atlas, order);
    return { ...view, found, cards: await this.cardsOf(view.shown.slice(0, first)) };
  }

  async refresh() {
    const [asked, start] = [++this.asked, performance.now()];
    const waiting = setTimeout(() => {
      this.status.textContent = "Searching…";
      this.panel.setAttribute("aria-busy", "true"); // its numbers are those of the view before
    }, WAIT_MS);
    this.results.setAttribute("aria-busy", "true");
    this.showChips();
    this.showSort();
    try {
      const place = [...this.cards.children].findIndex((card) => card.contains(document.activeElement));
      const { shown, counts, found, cards } = await this.view(this.state, Math.max(FIRST, place + 1));
      this.slow = performance.now() - start > SLOW_MS;
      if (asked !== this.asked) return; // the reader has asked for something else meanwhile
      clearTimeout(waiting);
      Object.assign(this, { shown, found, page: PAGE });
      this.cards.replaceChildren(...this.drawn(cards));
      if (place >= 0) this.cardLinks()[Math.min(place, cards.length - 1)]?.focus({ preventScroll: true });
      this.showStatus();
      await whenIdle();
      if (asked === this.asked) await this.follow(asked, counts, cards.length);
    } catch (error) {
      console.warn("Papers explorer:", error);
      if (asked !== this.asked) return;
      this.status.textContent = RENEWED;
      for (const part of [this.panel, this.results]) part.removeAttribute("aria-busy");
    } finally {
      clearTimeout(waiting);
    }
  }

  /** What may come a moment after the first cards: the address, the numbers beside the filters, the other cards. */
  async follow(asked, counts, first) {
    this.keepAddress();
    this.counts = counts();
    this.showCounts(this.counts);
    this.panel.removeAttribute("aria-busy");
    const cards = await this.cardsOf(this.shown.slice(first, PAGE));
    if (asked !== this.asked) return;
    this.cards.append(...this.drawn(cards));
    this.showMoreButton();
    this.results.removeAttribute("aria-busy");
  }

  syncControls() {
    this.input.value = this.state.q;
    for (const [facetId, rows] of this.rows) {
      for (const [value, { input }] of rows) input.checked = this.state.picked[facetId].has(value);
    }
    for (const { end, select } of this.yearSelects) select.value = String(this.state[end]);
    for (const show of this.longGroups) show();
    this.showBadges();
    this.showTopics();
  }

  pickedTopics(...levels) {
    return [...this.state.picked.topic].filter((id) => levels.includes(this.atlas.topics.get(id).level));
  }

  /** Categories of the picked stages (all, if none is) and families of the picked categories. */
  showTopics() {
    const picked = this.state.picked.topic;
    const anyStage = this.pickedTopics(0).length > 0;
    for (const topic of this.atlas.topics.values()) {
      const { node } = this.rows.get("topic").get(topic.id);
      if (topic.level !== 1) continue;
      node.hidden = anyStage && !picked.has(topic.stage) && !picked.has(topic.id);
      const families = this.families.get(topic.id);
      if (!families) continue;
      families.hidden = node.hidden;
      if (picked.has(topic.id)) families.open = true;
    }
    for (const branch of this.branches) branch.hidden = !branch.querySelector(".atlas-x-row:not([hidden])");
  }

  showCounts(counts) {
    for (const facet of this.atlas.facets) {
      const numbers = new Map([...facet.labels.keys()].map((value, n) => [value, counts.get(facet.id)[n]]));
      for (const [value, { node, count }] of this.rows.get(facet.id)) {
        const number = String(numbers.get(value));
        tell(count, number);
        node.toggleAttribute("data-empty", number === "0");
      }
    }
  }

  showBadges() {
    for (const { badge, countPicked } of this.badges) {
      const number = countPicked();
      tell(badge, number ? `${number} chosen` : "");
    }
  }

  /** @returns {{ label: string, remove: () => void }[]} */
  filtersInUse() {
    const { from, to, picked } = this.state;
    const inUse = [];
    for (const facet of this.atlas.facets) {
      for (const [value, label] of facet.labels) {
        if (!picked[facet.id].has(value)) continue;
        const group = facet.id === "topic" ? LEVELS[this.atlas.topics.get(value).level].name : facet.name;
        inUse.push({ label: `${group}: ${label}`, remove: () => this.toggle(facet.id, value, false) });
      }
    }
    if (from) inUse.push({ label: `From ${from}`, remove: () => this.chooseYear("from", 0) });
    if (to) inUse.push({ label: `To ${to}`, remove: () => this.chooseYear("to", 0) });
    return inUse;
  }

  showChips() {
    const inUse = this.filtersInUse();
    this.chips.replaceChildren(...inUse.map(({ label, remove }, n) => {
      const attributes = { type: "button", class: "atlas-x-chip", "aria-label": `Remove the filter ${label}` };
      const chip = el("button", { ...attributes, click: () => this.removeChip(remove, n) }, label, icon("cross"));
      return el("li", {}, chip);
    }));
    this.clearButton.hidden = !inUse.length;
    tell(this.filterButton.lastChild, inUse.length ? `Filters (${inUse.length})` : "Filters");
  }

  /** The pressed button goes away, so the focus moves to its neighbour. */
  removeChip(remove, n) {
    remove();
    const left = this.chips.querySelectorAll("button");
    (left[Math.min(n, left.length - 1)] ?? this.input).focus({ preventScroll: true });
  }

  showSort() {
    const [{ options: [relevance] }, sort] = [this.sortSelect, sortInForce(this.state)];
    if (relevance.disabled === Boolean(this.state.q)) relevance.hidden = relevance.disabled = !this.state.q;
    if (this.sortSelect.value !== sort) this.sortSelect.value = sort;
  }

  showStatus() {
    const [number, { total }] = [this.shown.length, this.atlas];
    const portion = number === total ? "All" : `${number.toLocaleString("en")} of`;
    let message = `${portion} ${counted(total, "paper")}`;
    if (!number) message = "No paper matches. Remove a filter or use fewer words.";
    else if (this.found?.loose) message += " (no paper has all the words; these have some)";
    this.status.textContent = message;
    this.exportButton.disabled = !number;
    tell(this.doneButton.lastChild, number ? `Show ${counted(number, "paper")}` : "No paper matches");
  }

  /** @param {Paper[]} papers */
  drawn(papers) {
    return papers.map((paper) => cardElement(this.atlas, this.root, paper, this.found?.words));
  }

  showMoreButton() {
    const left = this.shown.length - this.page;
    this.moreButton.hidden = left <= 0;
    tell(this.moreButton.lastChild, `Show ${Math.min(left, PAGE)} more`);
  }
}

// ---------------------------------------------------------------- starting

/** @type {AbortController | undefined} ends the listeners of the page before, under instant navigation */
let running;

async function start() {
  const host = document.getElementById("atlas-explorer");
  running?.abort();
  if (!host || host.dataset.state) return;
  const { search } = location;
  running = new AbortController();
  host.dataset.state = "loading";
  try {
    const json = await fetchJson(new URL(host.dataset.src, document.baseURI));
    new Explorer(host, readAtlas(json), json, search, running.signal);
    host.dataset.state = "ready";
    const plainList = document.getElementById("atlas-paper-list");
    if (plainList) plainList.hidden = true;
  } catch (error) {
    console.error("Papers explorer:", error);
    host.replaceChildren(el("p", {}, "The interactive explorer could not be loaded; here is the plain list."));
    host.dataset.state = "failed";
  }
}

// Material announces every page it shows here, the first included.
if (window.document$) window.document$.subscribe(start);
else start();
