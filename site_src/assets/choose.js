// The page choose: answers to a few questions lead to at most three methods, or to one model; the address keeps them.
// Which methods an answer lets in and which runs count is decided in scripts/render/deciding/choose.py, whose masks are read
// here; `weighed` and `advise` do what they do there. Without this file the table of the page stands.

import { counted, el, fetchJson } from "./dom.js";

const money = (dollars) => `${Number(dollars.toPrecision(2))} USD`;
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
    this.fromAddress();
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
    const { margin, saved } = this.data.cheaper;
    const reached = { better: "are clearly better than the best single model of their pool",
      "no-dearer": "are clearly better than the best single model of their pool and cost no more",
      cheaper: `are less than ${counted(margin, "point")} worse than the best single model of their pool and save `
        + `${saved} % or more` }[this.aim];
    this.status.textContent = `${counted(sum("runs"), "run")} of ${counted(measured.length, "method")} `
      + `${sum("runs") === 1 ? "fits" : "fit"}: ${sum("won").toLocaleString("en")} ${reached}, `
      + `${sum("lost").toLocaleString("en")} are clearly worse.`;
    this.reset.hidden = !this.mask;
    this.answer.replaceChildren(
      advised.length ? this.proposals(advised) : this.oneModel(measured.length),
      this.compare(gained),
      el("div", { class: "atlas-choose-rest" },
        this.more("Other methods that gained", gained.filter((one) => !advised.includes(one)), true),
        this.more("Methods that did not gain", measured.filter((one) => one.weight <= 0), true),
        this.more("Methods that fit, without a run that does", all.filter(({ kept, runs }) => kept && !runs.length)),
        this.more("Methods that your answers keep out", all.filter(({ kept }) => !kept))));
  }

  link({ page, title }) {
    return el("a", { href: new URL(page, this.root).href }, title);
  }

  proposals(advised) {
    return el("ol", { class: "atlas-choose-fits" }, advised.map((one) => this.card(one)));
  }

  oneModel(measured) {
    return el("div", { class: "atlas-card atlas-choose-one" },
      el("h2", {}, "Use one model"),
      el("p", {}, measured
        ? "Of the methods that fit, none reached the aim more often than it clearly lost. Take the model that scores "
          + "best on queries of your own; if you have no scores, a few dozen are the first thing to make."
        : "Nothing was measured under these answers. Until something is, take the model that scores best on your own "
          + "queries, or leave a question open."),
      el("p", {}, "What your models could gain at most, before any method is run: ", el("code", {}, "atlas preflight my-answers")));
  }

  card({ method, runs, won, lost }) {
    const { category } = method;
    const size = (run) => (this.aim === "cheaper" ? 1 - run.cost / this.data.pools[run.p].alone : run.gain);
    const own = (run) => this.data.pools[run.p].own;
    const run = [...won].sort((a, b) => own(a) - own(b) || size(b) - size(a))[0];
    const pool = this.data.pools[run.p];
    const among = won.length > 1 ? `, the largest ${this.aim === "cheaper" ? "saving" : "gain"} of ${won.length}` : "";
    const row = (name, ...cells) => [el("dt", {}, name), el("dd", {}, cells.flat())];
    const brief = !this.mask; // with nothing answered, all fits on one screen
    return el("li", { class: `atlas-card atlas-card--${category.stage}`, "data-method": method.name },
      el("h2", {}, this.link(method)),
      el("p", {}, el("span", { class: `atlas-tag atlas-tag--${category.stage}` }, category.name), ` ${method.lead}`),
      el("dl", { class: "atlas-choose-facts" },
        row("Gained", el("b", {}, run.told), ` over ${pool.baseline}: `, this.link(pool),
          pool.own ? " (small models trained for this Atlas)" : "", among, "."),
        !brief && row("Cost", run.cost === null || pool.alone === null ? "unknown there"
          : `${money(run.cost)} there, ${pool.baseline} ${money(pool.alone)} (1,000 queries)`),
        !brief && row("Labels", method.learns ? `learned from ${counted(pool.labels, "scored query", "scored queries")} there`
          : "needs none", pool.needed ? `; some ${pool.needed.toLocaleString("en")} would show a gain of 2 points` : ""),
        row("Risk", this.risk(runs, won, lost, run)),
        !brief && row("Try", el("code", {}, method.command))),
      !brief && this.details(`${counted(runs.length, "run")} that ${runs.length === 1 ? "fits" : "fit"}`, runs));
  }

  /** What could go wrong: where it lost, how often it made no difference, what simpler thing did as well. */
  risk(runs, won, lost, run) {
    const none = runs.length - won.length - lost.length;
    const worst = [...lost].sort((a, b) => a.gain - b.gain)[0];
    return [
      `${none} of ${counted(runs.length, "run")} without ${this.aim === "cheaper" ? "that" : "a clear difference"}`,
      worst ? [`, ${lost.length} clearly worse, the worst by ${worst.told.split(" (")[0].replace("\u2212", "")} on `,
        this.link(this.data.pools[worst.p]), "."] : ", none clearly worse.",
      run.control ? ` Something simpler gained as much there: ${run.control}.` : "",
    ].flat();
  }

  /** The runs behind a card, the largest gain first. */
  details(title, runs) {
    const sorted = [...runs].sort((a, b) => b.gain - a.gain);
    return el("details", { class: "atlas-more" }, el("summary", {}, title), el("ul", {}, sorted.map((run) => {
      const pool = this.data.pools[run.p];
      return el("li", {}, this.link(pool), run.detail && ` (${run.detail})`, `: ${run.told} over ${pool.baseline}`);
    })));
  }

  compare(gained) {
    const names = gained.map(({ method }) => method.name).slice(0, MOST);
    if (names.length < 2) return "";
    return el("p", {}, "Ordered by the share of runs that reached the aim less the share that clearly lost. ",
      el("a", { href: new URL(`compare/?m=${names.join(",")}`, this.root).href }, "Compare them side by side"));
  }

  more(title, found, told = false) {
    if (!found.length) return "";
    return el("details", { class: "atlas-more" }, el("summary", {}, `${title} (${found.length})`),
      el("ul", {}, found.map(({ method, runs, won, lost }) => el("li", {}, this.link(method),
        told && `: ${won.length} of ${counted(runs.length, "run")} reached it, ${lost.length} clearly worse`))));
  }
}

const page = document.querySelector(".atlas-choose");
try {
  new Chooser(page, await fetchJson(new URL(page.dataset.src, document.baseURI)));
  page.dataset.state = "ready";
} catch (error) {
  console.error("Choose:", error);
  document.getElementById("atlas-choose-form").hidden = true;
  document.getElementById("atlas-choose-found").replaceChildren(
    el("p", {}, "The questions could not be loaded; the table below says what each answer alone leads to."));
  page.dataset.state = "failed";
}
