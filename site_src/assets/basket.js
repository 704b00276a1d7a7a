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

/** Says on a button whether its paper is in the basket. */
function show(button) {
  const held = stored().includes(button.dataset.key);
  const label = held ? "In the basket" : "Add to basket";
  button.setAttribute("aria-pressed", String(held));
  if (button.dataset.title) button.setAttribute("aria-label", `${label}: ${button.dataset.title}`);
  button.textContent = label;
  button.hidden = false;
}

function showAll() {
  document.querySelectorAll("button.atlas-basket").forEach(show);
  for (const link of document.querySelectorAll("a.atlas-basket-open")) link.hidden = !stored().length;
}

/** Gives every card of the list of papers a button; the list is drawn again with each key that a reader types. */
function dress(list) {
  for (const foot of list.querySelectorAll(".atlas-x-card-foot:not(:has(.atlas-basket))")) {
    const link = foot.closest(".atlas-x-card")?.querySelector(".atlas-x-card-title a");
    const key = link && new URL(link.href).pathname.split("/").filter(Boolean).pop();
    if (!key || !keysOf([key]).length) continue;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "atlas-button atlas-basket" });
    Object.assign(button.dataset, { key, title: link.textContent });
    show(button);
    foot.append(button);
  }
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

const list = document.getElementById("atlas-explorer");
if (list) {
  new MutationObserver(() => dress(list)).observe(list, { childList: true, subtree: true });
  dress(list);
}
