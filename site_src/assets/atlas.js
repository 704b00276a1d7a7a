// Copy buttons, and tooltips that Escape closes. Without this file everything stays readable.

const chinese = document.documentElement.lang === "zh";

// The theme gives its search dialog no name of its own.
document.querySelector('[data-md-component="search"]')?.setAttribute("aria-label", chinese ? "搜索" : "Search");

// The search lists by kind what is called as one asks (search-worker.js); the first of each kind says which. Behind
// them stands what has the words in its text alone.
const KINDS = { methods: "Methods", glossary: "Terms", taxonomy: "Taxonomy", guides: "Guides", papers: "Papers" };
const found = document.querySelector(".md-search-result__list");
const root = new URL(JSON.parse(document.getElementById("__config")?.textContent ?? "{}").base ?? ".", location.href);

function nameKinds() {
  let before;
  for (const item of found.children) {
    const address = item.querySelector("a")?.href ?? "";
    const folder = address.slice(root.href.replace(/\/?$/, "/").length).split("/", 1)[0];
    const named = item.querySelector(".md-tag") ? "In the text" : KINDS[folder] ?? "Other pages";
    const kind = address.includes("/papers/?text=") ? "More papers" : named;
    if (kind === before) item.removeAttribute("data-kind");
    else item.dataset.kind = kind;
    before = kind;
  }
}
if (found) new MutationObserver(nameKinds).observe(found, { childList: true });

/** Copies text; falls back to a selection where the clipboard is closed (plain http, old browsers). */
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("button.atlas-copy")) {
  const label = button.textContent;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const copied = await copy(document.getElementById(button.dataset.copies));
    const [done, select] = chinese ? ["已复制", "已选中，请按 Ctrl+C"] : ["Copied", "Selected: press Ctrl+C"];
    button.textContent = copied ? done : select;
    setTimeout(() => (button.textContent = label), 2000);
  });
}

// A tooltip shows on hover, focus and tap (by CSS); Escape hides it until the pointer or the focus comes back.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const term of document.querySelectorAll(".atlas-term:hover, .atlas-term:focus")) {
    term.classList.add("atlas-term--closed");
    const reopen = () => term.classList.remove("atlas-term--closed");
    term.addEventListener("mouseleave", reopen, { once: true });
    term.addEventListener("blur", reopen, { once: true });
  }
});

// The theme opens all details before it prints. What a reader left folded is marked, and stays folded on paper
// (atlas.css).
const paper = window.matchMedia("print");
const fold = (details) => details.toggleAttribute("data-shut", !details.open);
document.querySelectorAll("details").forEach(fold);
document.addEventListener("toggle", ({ target }) => {
  if (!paper.matches && target.tagName === "DETAILS") fold(target);
}, true);

// Pictures to take away (figures.js), once the first of the page comes into view.
const pictures = new IntersectionObserver((seen) => {
  if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
  pictures.disconnect();
  import(new URL("assets/figures.js", root));
});
document.querySelectorAll(".atlas-svg, .atlas-chart").forEach((one) => pictures.observe(one));
