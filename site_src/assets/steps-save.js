// All frames of a trace as one drawing, or as slides for paper and PDF. Loaded when a reader asks for either, and made
// here, of the files of the frames: nothing of it lies on the site.

import { el } from "./dom.js";

const SPACE = "http://www.w3.org/2000/svg";
const [COLUMNS, GAP] = [4, 16];

/** The files of a section's frames, each drawn by itself. @param {HTMLElement} section @returns {Promise<SVGSVGElement[]>} */
function drawings(section) {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (section.querySelectorAll(`.atlas-frames a[href$=".svg"]`));
  return Promise.all([...links].map(async ({ href }) => {
    const response = await fetch(href);
    if (!response.ok) throw new Error(`${response.status} for ${href}`);
    const read = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
    return /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.importNode(read.documentElement, true)));
  }));
}

/** Frames in rows, as one drawing. @param {SVGSVGElement[]} frames @returns {SVGSVGElement} */
export function strip(frames) {
  const whole = document.createElementNS(SPACE, "svg");
  const sizes = frames.map((frame) => frame.viewBox.baseVal);
  let [y, wide] = [0, 0];
  for (let from = 0; from < frames.length; from += COLUMNS) {
    let x = 0;
    for (let i = from; i < Math.min(from + COLUMNS, frames.length); i++) {
      const { width, height } = sizes[i];
      for (const [name, value] of Object.entries({ x, y, width, height })) frames[i].setAttribute(name, String(value));
      whole.append(frames[i]);
      x += width + GAP;
      wide = Math.max(wide, x - GAP);
    }
    y += Math.max(...sizes.slice(from, from + COLUMNS).map(({ height }) => height)) + GAP;
  }
  const tall = Math.max(y - GAP, 0);
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall })) whole.setAttribute(name, String(value));
  return whole;
}

/** Saves the frames as one file. @param {HTMLElement} section @param {string} name */
export async function saveStrip(section, name) {
  const text = new XMLSerializer().serializeToString(strip(await drawings(section)));
  const href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  el("a", { href, download: `${name}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** Prints the frames, each on a sheet of its own behind one with the title; browsers save that as PDF, too.
 * @param {HTMLElement} section @param {string} title */
export async function printSlides(section, title) {
  const told = section.querySelector("h3")?.textContent ?? "";
  const frames = await drawings(section);
  const sheets = el("div", { class: "atlas-slides" }, el("section", {}, el("h1", {}, title), el("p", {}, told), el("p", {}, location.href)),
    frames.map((frame) => el("section", {}, frame)));
  document.body.append(sheets);
  document.documentElement.classList.add("atlas-on-slides");
  addEventListener("afterprint", () => {
    sheets.remove();
    document.documentElement.classList.remove("atlas-on-slides");
  }, { once: true });
  print();
}
