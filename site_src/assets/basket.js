// The basket: keys of papers, kept in this browser. Pages of papers have a button for it; the page related-work shows it.

const STORE = "atlas-basket";
const KEY = /^[a-z]+\d{4}[a-z0-9]*$/; // as the Atlas writes keys

/** Those of the texts that may be keys, each once. */
export const keysOf = (texts) => [...new Set(texts)].filter((text) => typeof text === "string" && KEY.test(text));

/** What is in the basket; nothing where the browser keeps nothing. */
export function stored() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return Array.isArray(kept) ? keysOf(kept) : [];
  } catch {
    return [];
  }
}

export function store(keys) {
  try {
    localStorage.setItem(STORE, JSON.stringify(keysOf(keys)));
  } catch {
    // a browser that keeps nothing: the address of the page related-work still does
  }
}

/** What is in the basket, as the page shows it. */
let known = [];

/** Says on a button whether its paper is in the basket, which holds these. */
function show(button, held) {
  const isIn = held.includes(button.dataset.key);
  const label = isIn ? "In the basket" : "Add to basket";
  button.setAttribute("aria-pressed", String(isIn));
  if (button.dataset.title) button.setAttribute("aria-label", `${label}: ${button.dataset.title}`);
  button.textContent = label;
  button.hidden = false;
}

function showAll() {
  known = stored();
  document.querySelectorAll("button.atlas-basket").forEach((button) => show(button, known));
  for (const link of document.querySelectorAll("a.atlas-basket-open")) link.hidden = !known.length;
}

/** The way to the basket, which stands there once something is in it. @param {URL} root of the site */
export function basketLink(root) {
  const link = document.createElement("a");
  const href = new URL("related-work/", root).href;
  return Object.assign(link, { href, className: "atlas-basket-open", textContent: "Open the basket", hidden: !known.length });
}

/** A button for a paper on a page that a script draws; none where the Atlas writes no such key. */
export function basketButton(key, title) {
  if (!keysOf([key]).length) return null;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "atlas-button atlas-basket" });
  Object.assign(button.dataset, { key, title });
  show(button, known);
  return button;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("button.atlas-basket");
  if (!button) return;
  const { key } = button.dataset;
  const keys = stored();
  store(keys.includes(key) ? keys.filter((other) => other !== key) : [...keys, key]);
  showAll();
});
window.addEventListener("storage", showAll); // another tab changed it
showAll();
