// The frame that other pages show: one run, chosen by the address, with Start, its steps and its bill.

import { el } from "../dom.js";
import { able, addressOf, askedBy, offered, sizeOf, titleOf } from "./offer.js";
import { Player } from "./player.js";

/** @typedef {import("./offer.js").Offer} Offer */

/** @param {HTMLElement} root
 * @param {Offer} offer */
function start(root, offer) {
  const asked = askedBy(new URLSearchParams(location.search), offer);
  const lanes = asked.lanes.filter((lane) => lane !== null);
  if (!lanes.length) {
    root.replaceChildren(el("p", {}, "This address names no way for models to answer together, as a=vote:builtin does."));
    return;
  }
  const go = el("button", { type: "button", class: "atlas-button", click: () => player.run(asked.query, asked.task, lanes) }, "Start");
  const halt = el("button", { type: "button", class: "atlas-button", click: () => player.stop(), disabled: true }, "Stop");
  const out = el("div", { class: "atlas-play-lanes" });
  const page = new URL(`../?${addressOf(asked)}`, location.href).href;
  root.replaceChildren(
    el("h1", {}, lanes.map((lane) => titleOf(lane, offer)).join("; beside it: ")), el("pre", {}, el("code", {}, asked.query.prompt)),
    el("p", { class: "atlas-play-size" }, sizeOf(lanes, offer)),
    el("p", {}, go, " ", halt, " ", el("a", { href: page, target: "_blank", rel: "noopener" }, "Change it on the page play")),
    out);
  const player = new Player(out, offer, (running) => {
    halt.disabled = !running;
    root.dataset.state = running ? "running" : "ready";
  });
  player.settle();
}

/** Follows the reader's scheme, as the site's own pages do. */
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => { document.body.dataset.mdColorScheme = dark.matches ? "slate" : "default"; };
dark.addEventListener("change", follow);
follow();

const root = document.getElementById("atlas-watch");
const offer = offered();
if (root && offer?.tasks) {
  if (able()) start(root, offer);
  else root.textContent = "This browser has no WebAssembly, which the models need. The page play has recorded runs.";
}
