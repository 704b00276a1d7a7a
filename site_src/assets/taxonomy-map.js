// The map of the taxonomy, drawn from the list on the page: the more papers, the larger a field; a click goes in, and a
// slider leaves later years out. The list stays below, and is all that there is without this file.

import { counted, el } from "./dom.js";

const list = document.getElementById("atlas-map");
/** In pixels: the height of a field's head above its parts; from which width and height on these are shown; below which
 * width (half of it as height) its letters are small. */
const [HEAD, ROOMY, TIGHT] = [30, 110, 80];

/** @typedef {{ name: string, href: string, stage: string, years: Map<number, number>, unknown: number,
 *   parts: Part[] }} Part */

function partOf(node, stage, inner) {
  const link = node.querySelector("a");
  const years = new Map((node.dataset.years || "").split(" ").filter(Boolean).map((pair) => pair.split(":").map(Number)));
  const known = [...years.values()].reduce((sum, count) => sum + count, 0);
  return {
    name: link.textContent, href: link.href, stage, years, unknown: Number(node.dataset.count) - known,
    parts: inner ? [...node.querySelectorAll(inner)] : [],
  };
}

function readTree() {
  const stages = [...list.querySelectorAll("[data-stage]")].map((node) => {
    const { stage } = node.dataset;
    const part = partOf(node, stage, ".atlas-map-category");
    part.parts = part.parts.map((inner) => {
      const category = partOf(inner, stage, "li");
      category.parts = category.parts.map((family) => partOf(family, stage));
      return category;
    });
    return part;
  });
  return { name: "All papers", href: "", stage: "", years: new Map(), unknown: 0, parts: stages };
}

/** Papers up to a year; with the last year, those of an unknown year, too. */
function count(part, until, last) {
  let sum = until === last ? part.unknown : 0;
  for (const [year, papers] of part.years) if (year <= until) sum += papers;
  return sum;
}

/** Boxes of `sizes` that fill a rectangle, none much longer than wide: rows are laid along the shorter side. */
function squarified(sizes, box) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const scale = (box.width * box.height) / total;
  const boxes = [];
  let { x, y, width, height } = box;
  for (let start = 0; start < sizes.length;) {
    const side = Math.min(width, height);
    const worst = (row) => {
      const area = row.reduce((sum, size) => sum + size * scale, 0);
      return Math.max(...row.map((size) => Math.max((side * side * size * scale) / area ** 2, area ** 2 / (side * side * size * scale))));
    };
    let end = start + 1;
    while (end < sizes.length && worst(sizes.slice(start, end + 1)) <= worst(sizes.slice(start, end))) end += 1;
    const row = sizes.slice(start, end);
    const thick = row.reduce((sum, size) => sum + size * scale, 0) / side;
    let along = 0;
    for (const size of row) {
      const long = (size * scale) / thick;
      boxes.push(width >= height
        ? { x, y: y + along, width: thick, height: long } : { x: x + along, y, width: long, height: thick });
      along += long;
    }
    if (width >= height) [x, width] = [x + thick, width - thick];
    else [y, height] = [y + thick, height - thick];
    start = end;
  }
  return boxes;
}

class Map_ {
  constructor() {
    this.root = readTree();
    this.path = [this.root];
    const years = this.root.parts.flatMap(({ years: known }) => [...known.keys()]);
    [this.first, this.last] = [Math.min(...years), Math.max(...years)];
    this.until = this.last;
    this.where = el("nav", { class: "atlas-treemap-path", "aria-label": "Place on the map" });
    this.slider = el("input", {
      type: "range", min: this.first, max: this.last, value: this.last, step: 1, id: "atlas-map-year",
      input: () => { this.until = Number(this.slider.value); this.draw(); },
    });
    this.told = el("output", { for: "atlas-map-year" });
    this.fields = el("div", { class: "atlas-treemap" });
    document.getElementById("atlas-treemap").append(
      el("p", { class: "atlas-treemap-bar" }, this.where,
        el("label", { for: "atlas-map-year" }, "Papers up to the year ", this.slider, " ", this.told)),
      this.fields);
    new ResizeObserver(() => this.draw()).observe(this.fields);
  }

  go(path) {
    this.path = path;
    this.draw();
    this.where.lastChild.focus({ preventScroll: true });
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.fields;
    if (!width) return;
    const here = this.path.at(-1);
    this.told.textContent = `${this.until}`;
    this.slider.setAttribute("aria-valuetext", `up to ${this.until}`);
    this.where.replaceChildren(...this.path.flatMap((part, place) => {
      const own = place < this.path.length - 1
        ? el("button", { type: "button", click: () => this.go(this.path.slice(0, place + 1)) }, part.name)
        : el("strong", { tabindex: "-1" }, part.name);
      return place ? [" \u203a ", own] : [own];
    }));
    this.fields.replaceChildren(...this.laid(here.parts, { x: 0, y: 0, width, height }).map(({ part, papers, box }) =>
      this.field(part, papers, box)));
  }

  laid(parts, box) {
    const shown = parts.map((part) => ({ part, papers: count(part, this.until, this.last) }))
      .filter(({ papers }) => papers).sort((a, b) => b.papers - a.papers);
    const boxes = squarified(shown.map(({ papers }) => papers), box);
    return shown.map((one, place) => ({ ...one, box: boxes[place] }));
  }

  /** A field; one with parts is a button that goes in, and shows them where there is room. */
  field(part, papers, box, path = [...this.path, part]) {
    const label = `${part.name}: ${counted(papers, "paper")}`;
    const content = [el("b", {}, part.name), " ", el("span", {}, papers.toLocaleString("en"))];
    const place = `left:${box.x}px;top:${box.y}px;width:${box.width}px;height:${box.height}px`;
    const small = box.width < TIGHT || box.height < TIGHT / 2 ? " atlas-treemap-field--small" : "";
    const more = { class: `atlas-treemap-field atlas-treemap-field--${part.stage}${small}`, title: label };
    if (!part.parts.length) return el("a", { href: part.href, ...more, style: place, "aria-label": label }, content);
    const inside = { "aria-label": `${label}. Go in`, click: () => this.go(path) };
    const deep = path.length === this.path.length + 1 && box.width > ROOMY && box.height > ROOMY;
    if (!deep) return el("button", { type: "button", ...more, style: place, ...inside }, content);
    const inner = this.laid(part.parts, { x: 0, y: HEAD, width: box.width - 2, height: box.height - HEAD - 2 });
    return el("div", { class: "atlas-treemap-group", style: place },
      el("button", { type: "button", ...more, style: `inset:0 2px auto 0;height:${HEAD}px`, ...inside }, content),
      inner.map((one) => this.field(one.part, one.papers, one.box, [...path, one.part])));
  }
}

if (list) new Map_();
