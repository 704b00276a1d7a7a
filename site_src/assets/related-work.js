// The page related-work: the papers of the basket as a table, as LaTeX with citations, as BibTeX and as an outline.
// The address holds the set (?p=a,b). A set that came by the address is not the basket until the reader keeps it.

import { keysOf, store, stored } from "./basket.js";
import { counted, el, fetchJson } from "./dom.js";
import { csv, download, latex, latexText, markdown } from "./tables.js";

const SIDE = 4; // as many as the page compare holds
const MOST = 200; // papers at a time, each a small file
const ABSENT = { gain: "no figure told", guarantee: "none noted", code: "none known" };
const known = (cell) => (Array.isArray(cell) ? cell.join("; ") : cell ?? "");

class RelatedWork {
  constructor(host) {
    this.host = host;
    this.root = new URL(host.dataset.root, document.baseURI);
    this.cards = new URL(host.dataset.cards, document.baseURI);
    this.columns = JSON.parse(host.dataset.columns);
    this.shown = new Set(this.columns.map(([name]) => name).filter((name) => name !== "models" && name !== "category"));
    this.read = new Map(); // key -> card, or null where there is no such paper
    this.status = el("p", { role: "status", "aria-live": "polite", class: "atlas-related-status" });
    this.out = el("div");
    host.replaceChildren(this.status, this.out);
    window.addEventListener("popstate", () => this.start());
    window.addEventListener("storage", () => this.start());
  }

  async start() {
    const asked = new URLSearchParams(location.search).get("p");
    this.keys = keysOf(asked === null ? stored() : asked.split(",")).slice(0, MOST);
    await this.load();
    this.show();
  }

  async load() {
    await Promise.all(this.keys.filter((key) => !this.read.has(key)).map(async (key) => {
      try {
        this.read.set(key, await fetchJson(new URL(`${key}.json`, this.cards)));
      } catch {
        this.read.set(key, null);
      }
    }));
  }

  get papers() {
    return this.keys.map((key) => this.read.get(key)).filter(Boolean);
  }

  /** Another set: in the address, and in the basket where it is the basket that is shown. */
  change(keys) {
    const mine = this.isBasket;
    this.keys = keys;
    if (mine) store(keys);
    this.toAddress();
    this.show();
  }

  toAddress() {
    const address = new URL(location.href);
    address.searchParams.delete("p");
    if (this.keys.length) address.searchParams.set("p", this.keys.join(","));
    address.search = address.search.replace(/%2C/gi, ",");
    if (address.href !== location.href) history.replaceState(null, "", address);
  }

  get isBasket() {
    return this.keys.join() === stored().join();
  }

  show() {
    const { papers } = this;
    const missing = this.keys.filter((key) => !this.read.get(key));
    if (papers.length) this.toAddress();
    this.status.textContent = papers.length ? `${counted(papers.length, "paper")}${this.isBasket ? " in your basket" : ", shared with you"}.`
      : "The basket is empty.";
    const lost = missing.length && el("p", { class: "atlas-related-lost" }, `Not in the Atlas, or not loaded: ${missing.join(", ")}.`);
    if (!papers.length) {
      this.out.replaceChildren(lost || "");
      return;
    }
    this.out.replaceChildren(...[lost, this.buttons(papers), this.chooser(), this.table(papers), this.outline(papers),
      this.texts(papers)].filter(Boolean));
  }

  buttons(papers) {
    const button = (label, click) => el("button", { type: "button", class: "atlas-button", click }, label);
    const table = () => this.cells(papers);
    return el("p", { class: "atlas-related-buttons" },
      !this.isBasket && button("Keep as my basket", () => { store([...stored(), ...this.keys]); this.keys = stored(); this.toAddress(); this.load().then(() => this.show()); }),
      button("BibTeX", () => download("related-work.bib", this.bibtex(papers))),
      button("LaTeX table", () => download("related-work.tex", this.latex(papers))),
      button("CSV", () => { const { heads, rows } = table(); download("related-work.csv", csv(heads, rows)); }),
      button("Markdown", () => { const { heads, rows } = table(); download("related-work.md", markdown(heads, rows)); }),
      button("Empty", () => this.change([])),
      el("a", { class: "atlas-link", href: new URL(`compare/?p=${this.keys.slice(0, SIDE).join(",")}`, this.root).href },
        `Side by side${papers.length > SIDE ? ` (the first ${SIDE})` : ""}`));
  }

  chooser() {
    return el("fieldset", { class: "atlas-related-columns" }, el("legend", {}, "Columns"), this.columns.map(([name, title]) =>
      el("label", {}, el("input", {
        type: "checkbox", checked: this.shown.has(name),
        change: (event) => { if (event.target.checked) this.shown.add(name); else this.shown.delete(name); this.refresh(); },
      }), " ", title)));
  }

  /** The table and the texts again; the boxes keep the focus. */
  refresh() {
    const { papers } = this;
    this.out.querySelector(".atlas-table-scroll").replaceWith(this.table(papers));
    this.out.querySelector(".atlas-related-texts").replaceWith(this.texts(papers));
  }

  get chosen() {
    return this.columns.filter(([name]) => this.shown.has(name));
  }

  /** The table as text. */
  cells(papers) {
    return {
      heads: ["Paper", "Year", ...this.chosen.map(([, title]) => title), "Key"],
      rows: papers.map((paper) => [this.called(paper), known(paper.year && String(paper.year)),
        ...this.chosen.map(([name]) => known(paper[name])), paper.key]),
    };
  }

  called = ({ name, title }) => (name && !title.startsWith(name) ? `${name}: ${title}` : title);

  latex(papers) {
    const rows = papers.map((paper) => ["", ...this.chosen.map(([name]) => known(paper[name]))]);
    return latex({
      heads: ["Paper", ...this.chosen.map(([, title]) => title)], rows, caption: "Related work", label: "tab:related-work",
      first: (place) => `${latexText(papers[place].name || papers[place].title)}~\\cite{${papers[place].key}}`,
    });
  }

  bibtex = (papers) => papers.map((paper) => paper.bibtex).join("\n");

  table(papers) {
    const { chosen } = this;
    return el("div", { class: "atlas-table-scroll", tabindex: "0", role: "region", "aria-label": "The papers side by side" },
      el("table", {},
        el("thead", {}, el("tr", {}, ["Paper", ...chosen.map(([, title]) => title)].map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, papers.map((paper) => el("tr", {},
          el("th", { scope: "row" }, el("a", { href: new URL(paper.page, this.root).href }, this.called(paper)),
            el("small", {}, [paper.authors, paper.year, paper.venue].filter(Boolean).join(", ")),
            el("button", { type: "button", class: "atlas-button", "aria-label": `Take out ${paper.title}`,
              click: () => this.change(this.keys.filter((key) => key !== paper.key)) }, "Take out")),
          chosen.map(([name]) => el("td", { class: name === "gain" && "atlas-related-gain" }, name === "code"
            ? paper.code.map((code, place) => el("p", {}, el("a", { href: paper.urls[place] }, code)))
            : known(paper[name]) || el("span", { class: "atlas-none" }, ABSENT[name] ?? "unknown"))))))));
  }

  /** The papers by stage, category and family, in the order of the taxonomy. */
  groups(papers) {
    const groups = new Map();
    for (const paper of [...papers].sort((a, b) => a.order - b.order || (a.year ?? 0) - (b.year ?? 0))) {
      const head = [...paper.stage, ...paper.category].join(": ");
      if (!groups.has(head)) groups.set(head, new Map());
      const families = groups.get(head);
      if (!families.has(paper.family)) families.set(paper.family, []);
      families.get(paper.family).push(paper);
    }
    return groups;
  }

  outline(papers) {
    return el("section", {}, el("h2", { id: "outline" }, "Outline"), [...this.groups(papers)].map(([head, families]) => [
      el("h3", {}, head),
      el("ul", {}, [...families].map(([family, mine]) => el("li", {}, family && el("b", {}, `${family}: `),
        mine.map((paper, place) => [place ? "; " : "", el("a", { href: new URL(paper.page, this.root).href }, this.called(paper)),
          ` (${[paper.authors, paper.year].filter(Boolean).join(", ")})`]).flat())))]).flat());
  }

  outlineLatex(papers) {
    return `${[...this.groups(papers)].map(([head, families]) => [`\\paragraph{${latexText(head)}}`,
      ...[...families].map(([family, mine]) => `${family ? `${latexText(family)}: ` : ""}${mine.map((paper) =>
        `${latexText(paper.name || paper.title)}~\\cite{${paper.key}}`).join("; ")}.`)].join("\n")).join("\n\n")}\n`;
  }

  texts(papers) {
    const text = (title, content) => el("details", { class: "atlas-more" }, el("summary", {}, title),
      el("pre", { tabindex: "0", role: "region", "aria-label": title }, content));
    return el("div", { class: "atlas-related-texts" }, text("LaTeX table", this.latex(papers)),
      text("Outline in LaTeX", this.outlineLatex(papers)), text("BibTeX", this.bibtex(papers)));
  }
}

const host = document.getElementById("atlas-related");
await new RelatedWork(host).start();
host.dataset.state = "ready";
