// The page choose: answers to a few questions lead to at most three methods, or to one model; the address keeps them.
// Which methods an answer lets in and which runs count is decided in scripts/render/deciding/choose.py, whose masks are read
// here; `weighed` and `advise` do what they do there. Without this file the table of the page stands.

import { foreign, wordsOf } from "./choose-words.js";
import { el, fetchJson } from "./dom.js";

const LANGUAGE = document.documentElement.lang === "zh" ? "zh" : "en";
const SAY = wordsOf(LANGUAGE);
const MOST = 4; // methods side by side on the page compare

class Chooser {
  /** @param {HTMLElement} page @param {any} data choose.json */
  constructor(page, data) {
    this.data = data;
    this.root = new URL(page.dataset.root, document.baseURI);
    this.form = document.getElementById("atlas-choose-form");
    this.selects = [...this.form.querySelectorAll("select")];
    this.reset = this.form.querySelector("button");
    this.bits = new Map(data.questions.flatMap(({ id, answers }) => answers.map((answer) => [id, answer]))
      .map(([id, answer], place) => [`${id}=${answer}`, 1 << place]));
    this.status = el("p", { role: "status", "aria-live": "polite", class: "atlas-choose-status" });
    this.answer = el("div");
    document.getElementById("atlas-choose-found").replaceChildren(this.status, this.answer);
    this.form.addEventListener("change", () => this.answered());
    this.form.addEventListener("submit", (event) => event.preventDefault()); // Enter changes nothing
    this.form.addEventListener("reset", () => setTimeout(() => this.answered()));
    window.addEventListener("popstate", () => this.fromAddress());
    const chosen = this.selects.filter((select) => select.value).map((select) => [select, select.value]);
    this.fromAddress();
    if (chosen.length) { // before this was loaded: a reader's answers stand
      for (const [select, value] of chosen) select.value = value;
      this.answered();
    }
  }

  fromAddress() {
    const asked = new URLSearchParams(location.search);
    for (const select of this.selects) {
      const wanted = asked.get(select.name) ?? "";
      select.value = this.bits.has(`${select.name}=${wanted}`) ? wanted : "";
    }
    this.show();
  }

  answered() {
    const address = new URL(location.href);
    for (const { name, value } of this.selects) {
      address.searchParams.delete(name);
      if (value) address.searchParams.set(name, value);
    }
    if (address.href !== location.href) history.pushState(null, "", address);
    this.show();
  }

  get aim() {
    return this.form.elements.aim.value || this.data.aims[0];
  }

  /** A bit for each answer given. */
  get mask() {
    return this.selects.reduce((mask, { name, value }) => mask | (this.bits.get(`${name}=${value}`) ?? 0), 0);
  }

  /** Every method that the answers let in, with its runs that count; the weightiest first, those without a run last. */
  weighed() {
    const { mask } = this;
    const reached = 1 << this.data.aims.indexOf(this.aim);
    const found = this.data.methods.map((method) =>
      ({ method, kept: (method.fits & mask) === mask, runs: [], won: [], lost: [] }));
    for (const run of this.data.runs) {
      const one = found[run.m];
      if (!one.kept || (run.counts & mask) !== mask) continue;
      one.runs.push(run);
      if (run.won & reached) one.won.push(run);
      else if (run.worse) one.lost.push(run);
    }
    for (const one of found) one.weight = (one.won.length - one.lost.length) / (one.runs.length + 1);
    const tie = (a, b) => (a.method.name < b.method.name ? -1 : 1);
    return found.sort((a, b) => (b.runs.length > 0) - (a.runs.length > 0)
      || b.weight - a.weight || b.won.length - a.won.length || tie(a, b));
  }

  show() {
    const all = this.weighed();
    const gained = all.filter(({ weight }) => weight > 0);
    const best = new Map();
    for (const one of gained) {
      if (!best.has(one.method.category.id)) best.set(one.method.category.id, one);
    }
    const advised = [...best.values()].slice(0, this.data.proposed);
    const measured = all.filter(({ runs }) => runs.length);
    const sum = (name) => measured.reduce((total, one) => total + one[name].length, 0);
    this.status.textContent = SAY.status(sum("runs"), measured.length, sum("won"), sum("lost"),
      SAY.reached(this.aim, this.data.cheaper));
    this.reset.hidden = !this.mask;
    // the page in the other language is asked the same
    for (const link of document.querySelectorAll(".atlas-language")) link.search = location.search;
    this.answer.replaceChildren(
      advised.length ? this.proposals(advised) : this.oneModel(measured.length),
      this.compare(gained),
      el("div", { class: "atlas-choose-rest" },
        this.more(SAY.gained, gained.filter((one) => !advised.includes(one)), true),
        this.more(SAY.notGained, measured.filter((one) => one.weight <= 0), true),
        this.more(SAY.notRun, all.filter(({ kept, runs }) => kept && !runs.length)),
        this.more(SAY.keptOut, all.filter(({ kept }) => !kept))));
  }

  /** To a method, or to a pool, which is there in English only. */
  link({ page, title, name }) {
    const there = name && LANGUAGE !== "en" ? `${LANGUAGE}/${page}` : page;
    const node = el("a", { href: new URL(there, this.root).href }, title);
    return name ? node : foreign(node, LANGUAGE);
  }

  proposals(advised) {
    return el("ol", { class: "atlas-choose-fits" }, advised.map((one) => this.card(one)));
  }

  oneModel(measured) {
    return el("div", { class: "atlas-card atlas-choose-one" },
      el("h2", {}, SAY.one),
      el("p", {}, measured ? SAY.oneMeasured : SAY.oneUnmeasured),
      el("p", {}, SAY.preflight, el("code", {}, "atlas preflight my-answers")));
  }

  card({ method, runs, won, lost }) {
    const { category } = method;
    const size = (run) => (this.aim === "cheaper" ? 1 - run.cost / this.data.pools[run.p].alone : run.gain);
    const own = (run) => this.data.pools[run.p].own;
    const run = [...won].sort((a, b) => own(a) - own(b) || size(b) - size(a))[0];
    const pool = this.data.pools[run.p];
    const among = won.length > 1 ? SAY.among(this.aim, won.length) : "";
    const gained = SAY.over(el("b", {}, SAY.told(run.told)), pool.baseline);
    const row = (name, ...cells) => [el("dt", {}, name), el("dd", {}, cells.flat())];
    const brief = !this.mask; // with nothing answered, all fits on one screen
    return el("li", { class: `atlas-card atlas-card--${category.stage}`, "data-method": method.name },
      el("h2", {}, this.link(method)),
      el("p", {}, el("span", { class: `atlas-tag atlas-tag--${category.stage}` }, category.name), ` ${method.lead}`),
      el("dl", { class: "atlas-choose-facts" },
        row(SAY.rows.gained, gained, this.link(pool), pool.own ? SAY.own : "", among, SAY.stop),
        !brief && row(SAY.rows.cost, run.cost === null || pool.alone === null ? SAY.unknownCost
          : SAY.costs(run.cost, pool.baseline, pool.alone)),
        !brief && row(SAY.rows.labels, method.learns ? SAY.learned(pool.labels) : SAY.needsNone,
          pool.needed ? SAY.needed(pool.needed) : ""),
        row(SAY.rows.risk, this.risk(runs, won, lost, run)),
        !brief && row(SAY.rows.attempt, el("code", {}, method.command))),
      !brief && this.details(SAY.fit(runs.length), runs));
  }

  /** What could go wrong: where it lost, how often it made no difference, what simpler thing did as well. */
  risk(runs, won, lost, run) {
    const none = runs.length - won.length - lost.length;
    const worst = [...lost].sort((a, b) => a.gain - b.gain)[0];
    const by = worst && SAY.told(worst.told).split(/ \(|（/)[0].replace("\u2212", "");
    return [
      SAY.nothing(none, runs.length, this.aim),
      worst ? [SAY.worse(lost.length, by), this.link(this.data.pools[worst.p]), SAY.stop] : SAY.noneWorse,
      run.control ? SAY.control(SAY.told(run.control)) : "",
    ].flat();
  }

  /** The runs behind a card, the largest gain first. */
  details(title, runs) {
    const sorted = [...runs].sort((a, b) => b.gain - a.gain);
    return el("details", { class: "atlas-more" }, el("summary", {}, title), el("ul", {}, sorted.map((run) => {
      const pool = this.data.pools[run.p];
      return el("li", {}, this.link(pool), SAY.run(run.detail, SAY.told(run.told), pool.baseline));
    })));
  }

  compare(gained) {
    const names = gained.map(({ method }) => method.name).slice(0, MOST);
    if (names.length < 2) return "";
    return el("p", {}, SAY.ordered,
      el("a", { href: new URL(`compare/?m=${names.join(",")}`, this.root).href }, SAY.compare));
  }

  more(title, found, told = false) {
    if (!found.length) return "";
    return el("details", { class: "atlas-more" }, el("summary", {}, SAY.count(title, found.length)),
      el("ul", {}, found.map(({ method, runs, won, lost }) => el("li", {}, this.link(method),
        told && SAY.record(won.length, runs.length, lost.length)))));
  }
}

/** The data with the names that methods and categories have in the page's language. */
function named(data, { methods, categories }) {
  const methodsThere = data.methods.map((method) => {
    const [title, lead] = methods[method.name] ?? [method.title, method.lead];
    const category = { ...method.category, name: categories[method.category.id] ?? method.category.name };
    return { ...method, title, lead, category };
  });
  return { ...data, methods: methodsThere };
}

const page = document.querySelector(".atlas-choose");
try {
  const [data, names] = await Promise.all([page.dataset.src, page.dataset.names].map((source) =>
    source && fetchJson(new URL(source, document.baseURI))));
  new Chooser(page, names ? named(data, names) : data);
  page.dataset.state = "ready";
} catch (error) {
  console.error("Choose:", error);
  document.getElementById("atlas-choose-form").hidden = true;
  document.getElementById("atlas-choose-found").replaceChildren(
    el("p", {}, SAY.failed));
  page.dataset.state = "failed";
}
