// The page play: the reader chooses a question and how models answer it; a worker runs them. Nothing is loaded before
// Start. The page's address holds the choice, and so replays the run.

import { el } from "./dom.js";
import { able, addressOf, askedBy, LANES, megabytes, offered, POOLS, sizeOf } from "./play/offer.js";
import { Player } from "./play/player.js";

/** @typedef {import("./play/offer.js").Offer} Offer */

const option = (/** @type {string} */ value, /** @type {string} */ text) => el("option", { value }, text);

/** The controls of one way.
 * @param {Offer} offer
 * @param {string} legend
 * @param {string} id
 * @param {boolean} optional */
function chooser(offer, legend, id, optional) {
  const way = el("select", { id: `atlas-play-way-${id}` }, optional && option("", "Nothing"), Object.entries(offer.ways).map(([name, { title }]) => option(name, title)));
  const pool = el("select", { id: `atlas-play-pool-${id}` }, Object.entries(POOLS).map(([name, title]) => option(name, title)));
  const model = el("select", { id: `atlas-play-model-${id}` }, Object.entries(offer.pools).map(([name, names]) => el("optgroup", { label: POOLS[name] },
    [...names].reverse().map((one) => option(one, `${one}: ${offer.cards[one].role}, $${offer.cards[one].price.completion.toFixed(2)} a million tokens, ${megabytes(offer.cards[one].bytes)}`)))));
  const told = el("p", { class: "atlas-play-members" });
  const poolRow = el("div", {}, el("label", { for: pool.id }, "Pool"), pool);
  const modelRow = el("div", {}, el("label", { for: model.id }, "Model"), model);
  const fields = el("fieldset", {}, el("legend", {}, legend), el("label", { for: way.id }, "Way"), way, poolRow, modelRow, told);

  return {
    fields,
    selects: [way, pool, model],
    /** What is chosen for a task, in the form of an address. */
    get address() {
      return way.value && `${way.value}:${way.value === "one" ? model.value : pool.value}`;
    },
    /** @param {import("./play/offer.js").Chosen | null} chosen */
    choose(chosen) {
      way.value = chosen?.way ?? (optional ? "" : "vote");
      if (chosen) pool.value = chosen.pool;
      if (chosen?.way === "one") model.value = chosen.names[0];
    },
    /** @param {import("./play/offer.js").Chosen | null} chosen */
    show(chosen) {
      const one = way.value === "one";
      const pools = Object.keys(offer.ways[way.value]?.pools ?? {});
      if (pools.length === 1) [pool.value] = pools;
      poolRow.hidden = !way.value || one || pools.length === 1;
      modelRow.hidden = !one;
      const names = chosen?.names ?? [];
      if (!chosen || one) told.textContent = "";
      else if (way.value === "cascade") told.textContent = `Asks ${names[0]}, and ${names[1]} where it is needed.`;
      else told.textContent = `${way.value === "route" ? "May choose" : "Asks"} ${names.join(", ")}.`;
    },
  };
}

/** @param {HTMLElement} root
 * @param {Offer} offer */
function start(root, offer) {
  const task = el("select", { id: "atlas-play-task" }, Object.entries(offer.tasks).map(([name, { title }]) => option(name, title)));
  const example = el("select", { id: "atlas-play-example" });
  const prompt = el("textarea", { id: "atlas-play-prompt", rows: 3, maxlength: 600, spellcheck: "false" });
  const lanes = [chooser(offer, "First", "a", false), chooser(offer, "Beside it", "b", true)];
  const size = el("p", { class: "atlas-play-size" });
  const go = el("button", { type: "submit", class: "atlas-button" }, "Start");
  const halt = el("button", { type: "button", class: "atlas-button", click: () => player.stop(), disabled: true }, "Stop");
  const out = el("div", { class: "atlas-play-lanes" });
  const share = el("p", { class: "atlas-play-share" });
  const form = el("form", { id: "atlas-play-form", submit: (/** @type {Event} */ event) => { event.preventDefault(); run(); } },
    el("fieldset", {}, el("legend", {}, "The question"),
      el("label", { for: "atlas-play-task" }, "Task"), task,
      el("label", { for: "atlas-play-example" }, "Example"), example,
      el("label", { for: "atlas-play-prompt" }, "Prompt, yours or the example's"), prompt),
    ...lanes.map((lane) => lane.fields),
    el("div", { class: "atlas-play-start" }, size, el("p", {}, go, " ", halt)));
  root.replaceChildren(form, out, share);
  const player = new Player(out, offer, (running) => {
    halt.disabled = !running;
    root.dataset.state = running ? "running" : "ready";
  });

  function examples() {
    const { queries } = offer.tasks[task.value];
    example.replaceChildren(...queries.map((query, i) => option(String(i), query.prompt.replace(/^Q: /, "").replace(/\nA:$/, ""))), option("", "Your own"));
  }

  /** Shows a question. @param {number | null} place @param {string} text */
  function put(place, text) {
    example.value = place === null ? "" : String(place);
    prompt.value = text;
  }

  /** What stands in the form. */
  function chosen() {
    const search = new URLSearchParams({ task: task.value });
    if (example.value === "") search.set("prompt", prompt.value);
    else search.set("example", example.value);
    lanes.forEach((lane, i) => { if (lane.address) search.set(LANES[i], lane.address); });
    return askedBy(search, offer);
  }

  function refresh() {
    const asked = chosen();
    lanes.forEach((lane, i) => lane.show(asked.lanes[i]));
    const left = asked.lanes.filter((lane) => lane !== null);
    size.textContent = sizeOf(left, offer);
    go.disabled = !prompt.value.trim() || !left.length;
  }

  function run() {
    const asked = chosen();
    const search = addressOf(asked);
    history.replaceState(null, "", `?${search}`);
    const frame = new URL(`embed/?${search}`, location.href).href;
    share.replaceChildren("To show this run in a page of your own, use ", el("code", {}, `<iframe src="${frame}" title="Language models answer together" width="100%" height="720" loading="lazy"></iframe>`), ". ", el("a", { href: frame }, "The frame alone"), ".");
    player.run(asked.query, asked.task, asked.lanes.filter((lane) => lane !== null));
  }

  task.addEventListener("change", () => { examples(); put(0, offer.tasks[task.value].queries[0].prompt); refresh(); });
  example.addEventListener("change", () => { if (example.value !== "") prompt.value = offer.tasks[task.value].queries[Number(example.value)].prompt; refresh(); });
  prompt.addEventListener("input", () => { if (offer.tasks[task.value].queries[Number(example.value)].prompt !== prompt.value) example.value = ""; refresh(); });
  for (const { selects } of lanes) for (const select of selects) select.addEventListener("change", refresh);

  const asked = askedBy(new URLSearchParams(location.search), offer);
  task.value = asked.task;
  examples();
  put(asked.example, asked.query.prompt);
  lanes.forEach((lane, i) => lane.choose(asked.lanes[i]));
  refresh();
  player.settle();
}

const root = document.getElementById("atlas-play");
const offer = offered();
if (root && offer?.tasks) {
  if (able()) start(root, offer);
  else root.textContent = "This browser has no WebAssembly, which the models need. Recorded runs stand below.";
}
