// The page of comparisons: a set of methods, kept in the address (?set=a,b), and the baselines that it misses. Without
// this file the lists of the page stand as they are.

import { counted, el, fetchJson } from "./dom.js";

const SHOWN = 10;

class Missing {
  /** @param {HTMLElement} host @param {any} data relations.json */
  constructor(host, data) {
    this.host = host;
    this.root = new URL(host.dataset.root, document.baseURI);
    this.papers = new Map(Object.entries(data.papers));
    this.compares = data.compares;
    this.input = el("input", { id: "atlas-baseline", list: "atlas-baselines", autocomplete: "off",
      // an entry picked from the list, not a letter typed: one name may begin another
      input: (event) => { if (!event.inputType || event.inputType === "insertReplacementText") this.take(false); } });
    this.chosen = el("ul", { class: "atlas-chosen", "aria-label": "Your set" });
    this.status = el("p", { class: "atlas-figures", role: "status", "aria-live": "polite" });
    this.result = el("div", {});
    this.names = new Map();
    for (const [key, paper] of this.papers) {
      const known = this.names.has(paper.name);
      this.names.set(known ? `${paper.name} (${key})` : paper.name, key);
    }
    host.replaceChildren(
      el("form", { class: "atlas-baselines", submit: (event) => { event.preventDefault(); this.take(true); } },
        el("label", { for: "atlas-baseline" }, "A method or paper"), this.input,
        el("datalist", { id: "atlas-baselines" }, [...this.names.keys()].sort().map((name) => el("option", { value: name }))),
        el("button", { type: "submit" }, "Add")),
      this.chosen, this.status, this.result);
    window.addEventListener("popstate", () => this.show());
    this.show();
  }

  get set() {
    const asked = (new URLSearchParams(location.search).get("set") ?? "").split(",");
    return [...new Set(asked)].filter((key) => this.papers.has(key));
  }

  choose(keys) {
    const address = new URL(location.href);
    address.searchParams.delete("set");
    if (keys.length) address.searchParams.set("set", keys.join(","));
    address.search = address.search.replace(/%2C/gi, ",");
    history.pushState(null, "", address);
    this.show();
  }

  /** Takes what stands in the field; while typing only what was picked whole from the list. */
  take(asked) {
    const said = this.input.value.trim();
    const key = this.names.get(said) ?? (asked ? this.find(said) : undefined);
    if (key) {
      this.input.value = "";
      if (!this.set.includes(key)) this.choose([...this.set, key]);
    } else if (asked && said) this.status.textContent = `No comparison is known for “${said}”.`;
  }

  find(said) {
    const small = said.toLowerCase();
    return [...this.names].find(([name, key]) => name.toLowerCase() === small || key === small)?.[1];
  }

  link(key) {
    const paper = this.papers.get(key);
    return el("a", { href: new URL(paper.page, this.root).href, title: paper.title }, paper.name);
  }

  show() {
    const set = this.set;
    this.chosen.replaceChildren(...set.map((key) => el("li", {}, this.link(key),
      el("button", { type: "button", "aria-label": `Remove ${this.papers.get(key).name}`, click: () => { this.choose(set.filter((k) => k !== key)); this.input.focus(); } }, "×"))));
    this.host.dataset.state = "ready";
    if (!set.length) {
      this.status.textContent = "";
      this.result.replaceChildren();
      return;
    }
    const comparers = new Set(this.compares.filter(([, there]) => set.includes(there)).map(([here]) => here));
    const also = new Map();
    for (const [here, there] of this.compares) {
      if ((comparers.has(here) || set.includes(here)) && !set.includes(there)) also.set(there, (also.get(there) ?? 0) + 1);
    }
    const order = [...also].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, SHOWN);
    const known = new Set(this.compares.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
    const apart = set.flatMap((a, place) => set.slice(place + 1).filter((b) => !known.has(`${a} ${b}`)).map((b) => [a, b]));
    this.status.textContent = `${counted(comparers.size, "paper")} known to compare with ${set.length === 1 ? "it" : "at least one of them"}.`;
    this.result.replaceChildren(
      el("h4", {}, "Missing from your set"),
      order.length
        ? el("ol", {}, order.map(([key, n]) => el("li", {}, this.link(key), ` (in ${counted(n, "of these papers", "of these papers")})`)))
        : el("p", {}, "Nothing else: no paper known here compares with these and with others."),
      ...(apart.length
        ? [el("h4", {}, "Pairs that no text read here compares"),
          el("ul", {}, apart.map(([a, b]) => el("li", {}, this.link(a), " and ", this.link(b))))]
        : []));
  }
}

const host = document.getElementById("atlas-comparisons");
if (host) {
  fetchJson(new URL(host.dataset.src, document.baseURI)).then((data) => new Missing(host, data)).catch((error) => {
    host.dataset.state = "failed";
    host.replaceChildren(el("p", { role: "alert" }, `The comparisons could not be loaded: ${error.message}`));
  });
}
