// Pictures to take away: a PNG of every figure that has an SVG file, and both of every chart. A figure's file holds the
// line of its licence; a chart gets one here.

import { el } from "./dom.js";

const SCALE = 2; // pixels of a PNG for one of the drawing
const LICENCE = "LLM Ensemble Atlas, CC BY 4.0";
const SVG = "http://www.w3.org/2000/svg";

function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** An image of an SVG's text. The site's policy lets images come from itself and from data: alone. */
async function png(text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = el("canvas", { width: image.width * SCALE, height: image.height * SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** A button that does what it says, and says so where it cannot. */
function button(label, name, act) {
  const made = el("button", { type: "button", class: "atlas-save", "aria-label": `${name}: ${label}` }, label);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      await act();
      made.textContent = label;
    } catch (error) {
      made.textContent = `${label} failed`;
      console.warn("A figure could not be saved:", error);
    }
    made.disabled = false;
  });
  return made;
}

for (const link of document.querySelectorAll("a.atlas-svg")) {
  const name = link.href.split("/").pop().replace(/\.svg$/, "");
  link.after(" ", button("PNG", link.getAttribute("aria-label") ?? name, async () => {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error(`${answer.status} for ${link.href}`);
    save(await png(await answer.text()), `${name}.png`);
  }));
}

/** A drawn chart as a file of its own: its ground, its label and licence below it. */
function chartFile(figure) {
  const drawn = figure.querySelector("svg");
  const copy = drawn.cloneNode(true);
  const [width, height] = [Number(drawn.getAttribute("width")), Number(drawn.getAttribute("height"))];
  const style = getComputedStyle(document.body);
  const colour = (name) => style.getPropertyValue(name).trim();
  const words = `${figure.querySelector("figcaption").firstChild.textContent.trim()}. ${LICENCE}.`;
  const add = (tag, attributes, text = "") => {
    const node = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("height", height + 24);
  copy.setAttribute("viewBox", `0 0 ${width} ${height + 24}`);
  copy.prepend(add("rect", { width: "100%", height: "100%", fill: colour("--atlas-card") }));
  copy.append(add("text", { x: 8, y: height + 16, fill: colour("--atlas-ink-soft"), "font-size": 11, "font-family": "sans-serif" }, words));
  return new XMLSerializer().serializeToString(copy);
}

for (const figure of document.querySelectorAll(".atlas-chart")) {
  const caption = figure.querySelector("figcaption");
  const name = figure.dataset.src.split("/").pop().replace(/\.json$/, "");
  const offer = () => {
    if (figure.dataset.state !== "drawn" || caption.querySelector("button")) return;
    caption.append(
      " ", button("SVG", name, async () => save(new Blob([chartFile(figure)], { type: "image/svg+xml" }), `${name}.svg`)),
      " ", button("PNG", name, async () => save(await png(chartFile(figure)), `${name}.png`)),
    );
  };
  new MutationObserver(offer).observe(figure, { attributeFilter: ["data-state"] });
  offer();
}
