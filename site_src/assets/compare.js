// The page compare: up to four methods or papers side by side, chosen by selects, in the table or from the basket, kept
// in the address (?m=a,b&p=c,d); lines to choose, marks where they differ, and files to take away; and the table of all
// methods, filtered (results.js sorts it). Without this file that table stands as it is.

import { keysOf, stored } from "./basket.js";
import { counted, el, fetchJson } from "./dom.js";
import { csv, download, latex, markdown } from "./tables.js";

const VERDICTS = { better: "better than", "no clear difference": "no clear difference to", worse: "worse than" };

const fixed = (value, digits = 3) => value.toFixed(digits);
const rounded = (value) => String(Number(value.toPrecision(2)));
const signed = (value) => `${value < 0 ? "\u2212" : "+"}${fixed(Math.abs(value))}`;
const unmeasured = () => el("span", { class: "atlas-none" }, "not measured");

/** Text of a docstring, with what stands between backticks as code. */
const prose = (text) => text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));

// ---------------------------------------------------------------- side by side

class Comparison {
  /** @param {HTMLElement} host @param {any} data methods.json */
  constructor(host, data) {
    this.host = host;
    this.root = new URL(host.dataset.root, document.baseURI);
    this.data = data;
    this.methods = new Map(data.methods.map((method, place) => [method.name, { ...method, place }]));
    this.cards = new Map(); // key -> what is told of a paper
    this.hidden = new Set(); // kinds of lines that the reader has put away
    this.onlyDifferent = false;
    this.chosen = this.fromAddress();
    this.status = el("p", { class: "atlas-compare-status", role: "status", "aria-live": "polite" });
    this.selects = Array.from({ length: data.most }, (_, place) => this.select(place));
    this.table = el("div", {
      class: "atlas-table-scroll", tabindex: "0", role: "region", "aria-label": "Methods side by side",
    });
    this.tools = el("div", { class: "atlas-compare-tools" });
    host.replaceChildren(
      el("div", { class: "atlas-compare-pick", role: "group", "aria-label": "Methods to compare" },
        this.selects.map((select, place) => el("label", {}, `Method ${place + 1}`, select))),
      this.status, this.tools, this.table);
    window.addEventListener("popstate", () => {
      this.chosen = this.fromAddress();
      this.withPapers();
    });
    for (const link of document.querySelectorAll("a.atlas-start")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.choose(this.names(new URL(link.href).search));
        host.scrollIntoView();
        this.selects[0].focus({ preventScroll: true });
      });
    }
  }

  /** Known names of a query string, each once, as many as stand side by side. */
  names(search) {
    const asked = (new URLSearchParams(search).get("m") ?? "").split(",");
    return [...new Set(asked)].filter((name) => this.methods.has(name)).slice(0, this.data.most);
  }

  fromAddress() {
    const names = this.names(location.search);
    const asked = (new URLSearchParams(location.search).get("p") ?? "").split(",");
    this.papers = keysOf(asked).slice(0, this.data.most - names.length);
    return names;
  }

  choose(names, papers = this.papers) {
    this.chosen = names.slice(0, this.data.most);
    this.papers = papers.slice(0, this.data.most - this.chosen.length);
    const address = new URL(location.href);
    for (const [name, held] of [["m", this.chosen], ["p", this.papers]]) {
      address.searchParams.delete(name);
      if (held.length) address.searchParams.set(name, held.join(","));
    }
    address.search = address.search.replace(/%2C/gi, ",");
    if (address.href !== location.href) history.pushState(null, "", address);
    return this.withPapers();
  }

  /** Shows the set once what is told of its papers is there; keys that no paper has fall out. */
  async withPapers() {
    await Promise.all(this.papers.filter((key) => !this.cards.has(key)).map(async (key) => {
      try {
        this.cards.set(key, await fetchJson(new URL(`assets/data/papers/${key}.json`, this.root)));
      } catch {
        this.cards.set(key, null);
      }
    }));
    this.papers = this.papers.filter((key) => this.cards.get(key));
    this.show();
  }

  select(place) {
    const names = [...new Set(this.data.methods.map((method) => method.category.name))];
    const of = (name) => this.data.methods.filter((method) => method.category.name === name);
    const node = el("select", { class: "atlas-input", change: () => this.pick(place, node.value) },
      el("option", { value: "" }, "none"),
      names.map((name) => el("optgroup", { label: name },
        of(name).map((method) => el("option", { value: method.name }, method.title)))));
    return node;
  }

  pick(place, name) {
    const names = [...this.chosen];
    names[place] = name;
    this.choose([...new Set(names.filter(Boolean))]);
  }

  toggle(name) {
    this.choose(this.chosen.includes(name) ? this.chosen.filter((other) => other !== name) : [...this.chosen, name]);
  }

  show() {
    const methods = this.chosen.map((name) => this.methods.get(name));
    const papers = this.papers.map((key) => this.cards.get(key)).filter(Boolean);
    const room = this.data.most - papers.length;
    this.selects.forEach((select, place) => {
      select.value = this.chosen[place] ?? "";
      // A select beyond the next free place would leave a gap; papers take places, too.
      select.disabled = place > this.chosen.length || place >= room;
    });
    const told = [methods.length && `${counted(methods.length, "method")} of ${this.data.methods.length}`,
      papers.length && counted(papers.length, "paper")].filter(Boolean).join(" and ");
    this.status.textContent = told ? `${told} side by side`
      : "No method is chosen: take one above, or tick it in the table below.";
    this.table.hidden = !told;
    this.table.replaceChildren(...(told ? [this.draw(methods, papers)] : []));
    this.tools.replaceChildren(...(told ? this.choosers() : []), this.fromBasket() || "");
    this.mark();
    this.onshow?.();
  }

  /** The papers of the basket that still have room. */
  fromBasket() {
    const more = stored().filter((key) => !this.papers.includes(key))
      .slice(0, this.data.most - this.chosen.length - this.papers.length);
    return more.length && el("p", {}, el("button", { type: "button", class: "atlas-button",
      click: () => this.choose(this.chosen, [...this.papers, ...more]) }, `Add ${counted(more.length, "paper")} of the basket`));
  }

  choosers() {
    const kinds = [...new Set([...this.table.querySelectorAll("tbody tr")].map((row) => row.dataset.kind))];
    const box = (label, checked, change) => el("label", {}, el("input", { type: "checkbox", checked, change }), ` ${label}`);
    const take = (label, name, make) => el("button", { type: "button", class: "atlas-button",
      click: () => download(`comparison.${name}`, make(this.asText())) }, label);
    return [
      el("fieldset", {}, el("legend", {}, "Lines"),
        kinds.map((kind) => box(kind, !this.hidden.has(kind), ({ target }) => {
          if (target.checked) this.hidden.delete(kind);
          else this.hidden.add(kind);
          this.mark();
        })),
        box("only what differs", this.onlyDifferent, ({ target }) => {
          this.onlyDifferent = target.checked;
          this.mark();
        })),
      el("p", {}, take("CSV", "csv", ({ heads, rows }) => csv(heads, rows)),
        take("Markdown", "md", ({ heads, rows }) => markdown(heads, rows)),
        take("LaTeX", "tex", ({ heads, rows }) => latex({ heads, rows, caption: "Comparison", label: "tab:comparison" }))),
    ];
  }

  /** The lines in sight, as text. */
  asText() {
    const rows = [...this.table.querySelectorAll("tbody tr")].filter((row) => !row.hidden);
    return {
      heads: ["", ...[...this.table.querySelectorAll("thead th a")].map((link) => link.textContent)],
      rows: rows.map((row) => [row.dataset.name, ...[...row.cells].slice(1).map(textOf)]),
    };
  }

  /** Says of each line whether it differs, and hides what the reader does not want. Scores differ only where their
   * paired intervals tell one from all others: noise is no difference. */
  mark() {
    for (const row of this.table.querySelectorAll("tbody tr")) {
      const all = [...row.cells].slice(1);
      const cells = all.filter((cell) => !cell.querySelector(":scope > .atlas-none")); // what is unknown does not differ
      const differs = row.dataset.noisy ? Boolean(row.querySelector(".atlas-mark--good"))
        : new Set(cells.map((cell) => cell.textContent)).size > 1;
      row.classList.toggle("atlas-differs", differs && cells.length > 1);
      row.querySelector(".atlas-differs-mark").hidden = !differs || cells.length < 2;
      row.hidden = this.hidden.has(row.dataset.kind) || (this.onlyDifferent && all.length > 1 && !differs);
    }
  }

  /** A table whose columns are methods, then papers. A line that nothing is told on is left out. */
  draw(methods, papers) {
    const line = (name, ofMethod, ofPaper, { kind = name, noisy = false } = {}) => {
      const cells = [...methods.map((m) => ofMethod?.(m)), ...papers.map((p) => ofPaper?.(p))];
      if (cells.every((cell) => cell == null)) return null;
      return el("tr", { "data-kind": kind, "data-name": name, "data-noisy": noisy && "yes" },
        el("th", { scope: "row" }, name, el("small", { class: "atlas-differs-mark", hidden: true }, "differs")),
        cells.map((cell) => el("td", {}, cell == null ? el("span", { class: "atlas-none" }, "\u2013") : [cell].flat())));
    };
    const link = ({ page, title }) => el("a", { href: new URL(page, this.root).href }, title);
    const list = (tag, items) => (items.length ? el(tag, {}, items.map((parts) => el("li", {}, parts))) : "none");
    const known = (name) => (paper) => (paper[name].length ? list("ul", paper[name]) : el("span", { class: "atlas-none" }, "unknown"));
    const needs = new Map(this.data.needs.map(({ id, meaning }) => [id, meaning]));
    const remove = (title, click) => el("button", {
      type: "button", class: "atlas-button", "aria-label": `Remove ${title}`,
      click: () => { click(); this.selects[0].focus({ preventScroll: true }); },
    }, "Remove");
    return el("table", { class: "atlas-compare-table" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, papers.length ? "Method or paper" : "Method"),
        methods.map((method) => el("th", { scope: "col" }, link(method), remove(method.title, () => this.toggle(method.name)))),
        papers.map((paper) => el("th", { scope: "col" }, link(paper), remove(paper.title,
          () => this.choose(this.chosen, this.papers.filter((key) => key !== paper.key))))))),
      el("tbody", {}, [
        line("What it does", (m) => prose(m.lead), null),
        line("Authors", null, (p) => [p.authors, p.year, p.venue].filter(Boolean).join(", ")),
        line("Category", (m) => el("span", { class: `atlas-tag atlas-tag--${m.category.stage}` }, m.category.name),
          (p) => p.category.join("; ")),
        line("Family", (m) => m.family || "none", (p) => p.family || "none"),
        line("Needs", (m) => (m.needs.length
          ? el("ul", {}, m.needs.map((need) => el("li", {}, el("b", {}, need), `: ${needs.get(need)}`)))
          : "nothing beyond a response"), null),
        line("Unit", null, known("unit")),
        line("Access", null, known("access")),
        line("Labels", null, known("labels")),
        line("Calls a query", (m) => callsOf(m.calls), null),
        ...(methods.length ? this.data.benchmarks : []).map(({ name, title }) =>
          line(title, (m) => resultOf(m.results[name], markOf(m, methods, name)), null, { kind: "Scores", noisy: true })),
        ...recordedOf(methods).map((where) => line(where, (m) => recordedGains(m, where), null,
          { kind: "Gains on recordings", noisy: true })),
        line("Benchmarks", null, known("benchmarks")),
        line("Reported gain", null, (p) => (p.gain.length ? list("ul", p.gain) : el("span", { class: "atlas-none" }, "no figure told"))),
        line("Guarantee", null, (p) => (p.guarantee.length ? p.guarantee.join() : el("span", { class: "atlas-none" }, "none noted"))),
        line("Parameters", (m) => list("ul", m.parameters.map(({ name, default: value, comment }) =>
          [el("code", {}, `${name}=${value}`), " ", ...prose(comment)])), null),
        line("Differences from the paper", (m) => list("ol", m.differences.map(prose)), null),
        line("Papers", (m) => list("ul", m.papers.map((paper) => [link(paper)])), null),
        line("Code", null, (p) => (p.code.length ? list("ul", p.code.map((code, place) =>
          [el("a", { href: p.urls[place] }, code)])) : el("span", { class: "atlas-none" }, "none known"))),
      ].filter(Boolean)));
  }
}

/** A cell as a reader sees it, on one line. */
const textOf = (cell) => cell.innerText.split(/\n+/).map((part) => part.trim()).filter(Boolean).join("; ");

/** The pools of recordings on which all of these methods, or at least two of them, were run. */
function recordedOf(methods) {
  const counts = new Map();
  for (const { gains } of methods) {
    const pools = new Set(gains.filter(({ page }) => page.startsWith("recorded/")).map(({ where }) => where));
    for (const where of pools) counts.set(where, (counts.get(where) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= Math.min(2, methods.length)).map(([where]) => where);
}

/** The gains of a method on one recorded pool, each over the best single model of that pool. */
function recordedGains({ gains }, where) {
  const mine = gains.filter((gain) => gain.where === where);
  if (!mine.length) return unmeasured();
  return el("ul", {}, mine.map(({ told, verdict, baseline, detail }) =>
    el("li", {}, detail && `${detail}: `, el("b", {}, told), ` ${VERDICTS[verdict]} ${baseline}`)));
}

function callsOf({ mean, measured }) {
  if (mean === null) return unmeasured();
  return measured ? `${Number(mean.toPrecision(3))} (measured)` : `${mean} (by construction)`;
}

/** What a method's score is among those compared: the highest only where the paired intervals tell it from all others. */
function markOf(method, methods, benchmark) {
  const measured = methods.filter(({ results }) => results[benchmark]?.gain);
  if (measured.length < 2 || !measured.includes(method)) return null;
  const { score, above } = measured.map(({ results }) => results[benchmark]).reduce((a, b) => (b.score > a.score ? b : a));
  const near = measured.filter(({ place, results }) => results[benchmark].score === score || !above.includes(place));
  if (!near.includes(method)) return null;
  return near.length > 1 ? " within the noise of the highest" : " highest";
}

function resultOf(result, mark) {
  if (!result) return unmeasured();
  const { score, low, high, cost, latency, gain } = result;
  const ends = gain && (gain.adjusted ?? [gain.low, gain.high]);
  const told = [
    gain && `${VERDICTS[gain.verdict]} ${result.best}, the best single model: ${signed(gain.mean)}`
      + ` (${signed(ends[0])} to ${signed(ends[1])})`,
    cost !== null && `${rounded(cost)} USD for 1,000 queries`,
    latency !== null && `${rounded(latency * 1000)} ms a query`,
  ];
  return el("div", {}, el("b", {}, fixed(score)), ` (${fixed(low)} to ${fixed(high)})`,
    mark && el("span", { class: `atlas-mark${mark === " highest" ? " atlas-mark--good" : ""}` }, mark),
    told.filter(Boolean).map((line) => el("small", {}, line)));
}

// ---------------------------------------------------------------- the table of all methods

/** A box that hides the rows without its words. */
function makeFilterable(table) {
  const status = el("span", { role: "status", "aria-live": "polite" });
  const rows = [...table.tBodies[0].rows];
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = `${row.dataset.method} ${row.textContent}`.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    const portion = shown === rows.length ? "All" : `${shown} of`;
    status.textContent = `${portion} ${counted(rows.length, "method")}`;
  };
  const box = el("input", { type: "search", class: "atlas-input", input: filter, autocomplete: "off" });
  table.parentElement.before(el("p", { class: "atlas-compare-filter" },
    el("label", {}, "Filter by name, category or need", box), status));
  filter();
}

/** A box in front of every row that takes its method into the comparison. */
function makeChoosable(table, comparison) {
  const boxes = [...table.tBodies[0].rows].map((row) => {
    const { method } = row.dataset;
    const title = comparison.methods.get(method).title;
    const box = el("input", {
      type: "checkbox", "aria-label": `Compare ${title}`, change: () => comparison.toggle(method),
    });
    row.cells[0].prepend(box, " ");
    return { method, box };
  });
  comparison.onshow = () => {
    const full = comparison.chosen.length + comparison.papers.length >= comparison.data.most;
    for (const { method, box } of boxes) {
      box.checked = comparison.chosen.includes(method);
      box.disabled = full && !box.checked;
    }
  };
}

// ---------------------------------------------------------------- starting

const host = document.getElementById("atlas-compare");
const table = document.getElementById("atlas-all-methods");
try {
  const comparison = new Comparison(host, await fetchJson(new URL(host.dataset.src, document.baseURI)));
  makeChoosable(table, comparison);
  await comparison.withPapers();
  host.dataset.state = "ready";
} catch (error) {
  console.error("Comparison:", error);
  host.replaceChildren(el("p", {}, "The comparison could not be loaded; the table below holds the main numbers."));
  host.dataset.state = "failed";
}
makeFilterable(table);
