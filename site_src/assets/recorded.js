// What a month would cost: a slider sets the queries a day, the table follows; the address keeps them (?day=20000).
// Without this file the table stands at the traffic that the page was written for. Sorting is in results.js.

import { el } from "./dom.js";

const STEPS = 20; // of the slider, for each power of ten
const money = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const whole = (number) => Math.round(number).toLocaleString("en");

/** Two digits, so that the slider stands at numbers that one would name. */
const rounded = (number) => Number(number.toPrecision(2));
const at = (place) => rounded(10 ** (place / STEPS));

class Month {
  /** @param {HTMLElement} host @param {HTMLTableElement} table */
  constructor(host, table) {
    const { days, traffic, least, most } = host.dataset;
    [this.days, this.traffic, this.least, this.most] = [days, traffic, least, most].map(Number);
    this.caption = table.caption;
    this.rows = [...table.tBodies[0].rows].map((row) => {
      const cell = row.querySelector("td[data-query]");
      const { value = -1, low = value, high = value } = row.cells[2].dataset;
      const score = { value: Number(value), low: Number(low), high: Number(high) };
      return { cell, query: cell && Number(cell.dataset.query), name: nameOf(row.cells[0]), score, kind: row.className };
    });
    const known = this.rows.filter(({ cell }) => cell);
    this.largest = Math.max(...known.map(({ query }) => query));
    this.cheapest = known.reduce((best, row) => (row.query < best.query ? row : best));
    this.dearest = known.reduce((best, row) => (row.query > best.query ? row : best));
    const real = known.filter(({ kind }) => !kind.endsWith("oracle"));
    this.best = real.reduce((best, row) => (row.score.value > best.score.value ? row : best), real[0]);
    // Scores whose intervals overlap with that of the highest cannot be told from it by what the table holds.
    this.near = real.filter(({ score }) => score.high >= this.best.score.low);
    for (const row of known) {
      row.text = document.createTextNode("");
      const bar = el("span", { class: "atlas-month-bar", "aria-hidden": "true" });
      bar.style.width = `${(100 * row.query) / (this.largest || 1)}%`;
      row.cell.replaceChildren(row.text, bar);
    }
    this.output = el("output", {});
    this.slider = el("input", {
      type: "range", id: "atlas-traffic", min: Math.log10(this.least) * STEPS, max: Math.log10(this.most) * STEPS, step: 1,
      input: () => this.show(at(this.slider.valueAsNumber)),
      change: () => this.keep(),
    });
    this.status = el("p", { role: "status", "aria-live": "polite" });
    host.replaceChildren(el("div", { class: "atlas-traffic" },
      el("label", { for: "atlas-traffic" }, "Queries a day: ", this.output), this.slider,
      el("div", { class: "atlas-traffic-ends", "aria-hidden": "true" },
        el("span", {}, whole(this.least)), el("span", {}, whole(this.most))),
      this.status));
    const asked = Number(new URLSearchParams(location.search).get("day"));
    this.set(asked >= this.least && asked <= this.most ? asked : this.traffic);
    this.tell();
  }

  set(traffic) {
    this.slider.value = Math.round(Math.log10(traffic) * STEPS);
    this.show(rounded(traffic));
  }

  /** The table at `traffic` queries a day. */
  show(traffic) {
    this.shown = traffic;
    this.output.textContent = whole(traffic);
    this.slider.setAttribute("aria-valuetext", `${whole(traffic)} queries a day`);
    this.caption.textContent = `${whole(traffic)} queries a day, ${this.days} days`;
    for (const { cell, query, text } of this.rows) {
      if (!cell) continue;
      const cost = query * traffic * this.days;
      text.data = cost ? money.format(cost) : "0";
      cell.dataset.value = cost;
    }
  }

  /** After the slider has come to rest: a line for those who hear the page, and the address. */
  keep() {
    this.tell();
    const address = new URL(location.href);
    if (this.shown === this.traffic) address.searchParams.delete("day");
    else address.searchParams.set("day", this.shown);
    history.replaceState(null, "", address);
  }

  tell() {
    const cost = ({ query }) => `${money.format(query * this.shown * this.days)} US dollars a month`;
    this.status.textContent = `${whole(this.shown)} queries a day: ${this.cheapest.name} costs ${cost(this.cheapest)},`
      + ` ${this.dearest.name} ${cost(this.dearest)}; ${this.top(cost)}.`;
  }

  /** What the highest score costs, or, where others lie within the noise of it, the cheapest of them. */
  top(cost) {
    if (!this.best) return "no method's cost is known";
    if (this.near.length < 2) return `the highest score, that of ${this.best.name}, costs ${cost(this.best)}`;
    const cheapest = this.near.reduce((least, row) => (row.query < least.query ? row : least));
    return `of the ${this.near.length} scores within the noise of the highest, that of ${cheapest.name} is the cheapest:`
      + ` ${cost(cheapest)}`;
  }
}

/** A row's name without what stands below it, but with its settings. */
function nameOf(head) {
  const [title, ...notes] = head.childNodes;
  const settings = notes.find((node) => node.nodeName === "SMALL" && !node.className);
  return settings ? `${title.textContent.trim()} (${settings.textContent.trim()})` : title.textContent.trim();
}

const host = document.getElementById("atlas-month");
if (host) new Month(host, document.getElementById("atlas-month-table"));
