// The theme starts its search worker on every page. What the worker is made of is fetched when the reader turns to the
// search, and takes the place of this file (scripts/render/building/mkdocs_hook.py).
addEventListener("message", (event) => {
  importScripts("search-whole.js");
  dispatchEvent(new MessageEvent("message", { data: event.data })); // nobody else has heard it yet
}, { once: true });
