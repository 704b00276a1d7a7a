// The page compare: up to four methods side by side, chosen by selects or in the table, kept in the address (?m=a,b);
// and the table of all methods, filtered (results.js sorts it). Without this file that table stands as it is.

import { counted, el, fetchJson } from "./dom.js";

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
    this.methods = new Map(data.methods.map((method) => [method.name, method]));
    this.chosen = this.fromAddress();
    this.status = el("p", { class: "atlas-compare-status", role: "status", "aria-live": "polite" });
    this.selects = Array.from({ length: data.most }, (_, place) => this.select(place));
    this.table = el("div", {
      class: "atlas-table-scroll", tabindex: "0", role: "region", "aria-label": "Methods side by side",
    });
    host.replaceChildren(
      el("div", { class: "atlas-compare-pick", role: "group", "aria-label": "Methods to compare" },
        this.selects.map((select, place) => el("label", {}, `Method ${place + 1}`, select))),
      this.status, this.table);
    window.addEventListener("popstate", () => {
      this.chosen = this.fromAddress();
      this.show();
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
    return this.names(location.search);
  }

  choose(names) {
    this.chosen = names;
    const address = new URL(location.href);
    address.searchParams.delete("m");
    if (names.length) address.searchParams.set("m", names.join(","));
    address.search = address.search.replace(/%2C/gi, ",");
    if (address.href !== location.href) history.pushState(null, "", address);
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
    this.selects.forEach((select, place) => {
      select.value = this.chosen[place] ?? "";
      // A select beyond the next free place would leave a gap.
      select.disabled = place > this.chosen.length;
    });
    this.status.textContent = methods.length
      ? `${counted(methods.length, "method")} of ${this.data.methods.length} side by side`
      : `No method is chosen: take one above, or tick it in the table below.`;
    this.table.hidden = !methods.length;
    this.table.replaceChildren(...(methods.length ? [this.draw(methods)] : []));
    this.onshow?.();
  }

  draw(methods) {
    const line = (name, cell) =>
      el("tr", {}, el("th", { scope: "row" }, name), methods.map((m) => el("td", {}, [cell(m)].flat())));
    const link = ({ page, title }) => el("a", { href: new URL(page, this.root).href }, title);
    const list = (tag, items) => (items.length ? el(tag, {}, items.map((parts) => el("li", {}, parts))) : "none");
    const needs = new Map(this.data.needs.map(({ id, meaning }) => [id, meaning]));
    return el("table", { class: "atlas-compare-table" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Method"), methods.map((method) =>
        el("th", { scope: "col" }, link(method),
          el("button", {
            type: "button", class: "atlas-button", "aria-label": `Remove ${method.title}`,
            click: () => { this.toggle(method.name); this.selects[0].focus({ preventScroll: true }); },
          }, "Remove"))))),
      el("tbody", {},
        line("What it does", (m) => prose(m.lead)),
        line("Category", (m) => el("span", { class: `atlas-tag atlas-tag--${m.category.stage}` }, m.category.name)),
        line("Family", (m) => m.family || "none"),
        line("Needs", (m) => (m.needs.length
          ? el("ul", {}, m.needs.map((need) => el("li", {}, el("b", {}, need), `: ${needs.get(need)}`)))
          : "nothing beyond a response")),
        line("Calls a query", (m) => callsOf(m.calls)),
        this.data.benchmarks.map(({ name, title }) =>
          line(title, (m) => resultOf(m.results[name], markOf(m, methods, name)))),
        line("Parameters", (m) => list("ul", m.parameters.map(({ name, default: value, comment }) =>
          [el("code", {}, `${name}=${value}`), " ", ...prose(comment)]))),
        line("Differences from the paper", (m) => list("ol", m.differences.map(prose))),
        line("Papers", (m) => list("ul", m.papers.map((paper) => [link(paper)])))));
  }
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
  const near = measured.filter(({ name, results }) => results[benchmark].score === score || !above.includes(name));
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
    const full = comparison.chosen.length >= comparison.data.most;
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
  comparison.show();
  host.dataset.state = "ready";
} catch (error) {
  console.error("Comparison:", error);
  host.replaceChildren(el("p", {}, "The comparison could not be loaded; the table below holds the main numbers."));
  host.dataset.state = "failed";
}
makeFilterable(table);
