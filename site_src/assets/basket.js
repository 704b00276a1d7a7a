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

/** Makes a button put its paper into the basket or take it out. */
export function wire(button) {
  const { key } = button.dataset;
  const show = () => {
    const held = stored().includes(key);
    button.setAttribute("aria-pressed", String(held));
    button.textContent = held ? "In the basket" : "Add to basket";
  };
  button.addEventListener("click", () => {
    const keys = stored();
    store(keys.includes(key) ? keys.filter((other) => other !== key) : [...keys, key]);
    show();
    for (const link of document.querySelectorAll("a.atlas-basket-open")) link.hidden = !stored().length;
  });
  window.addEventListener("storage", show); // another tab changed it
  show();
  button.hidden = false;
}

document.querySelectorAll("button.atlas-basket").forEach(wire);
for (const link of document.querySelectorAll("a.atlas-basket-open")) link.hidden = !stored().length;
