// The page play: the reader chooses a question and how models answer it; a worker runs them. Nothing is loaded before
// Start. The page's address holds the choice, and so replays the run.

import { el } from "./dom.js";
import { Lane } from "./play/lane.js";

const root = document.getElementById("atlas-play");
const data = JSON.parse(document.getElementById("atlas-play-data")?.textContent || "{}");

/** Ways by name: what they are called, which pools they are for, and which models they may load. */
const WAYS = {
  one: { name: "One model", names: (_, __, model) => [model] },
  route: { name: "Route: one model is chosen from the question", pools: ["builtin"], names: (pool) => data.pools[pool] },
  vote: { name: "Vote: all answer, the most frequent answer wins", names: (pool) => data.pools[pool] },
  cascade: { name: "Cascade: the cheapest, and the most expensive where it is unsure", pools: ["builtin"], names: (pool) => [data.pools[pool][0], data.pools[pool].at(-1)] },
  unite: { name: "Fuse token by token: UniTE", names: (pool, task) => data.members[pool][task].unite },
  gac: { name: "Fuse token by token: GaC", names: (pool, task) => data.members[pool][task].gac },
};
const POOLS = { builtin: "specialists", peers: "peers" };
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const option = (value, text) => el("option", { value }, text);

function start() {
  const task = el("select", { id: "atlas-play-task" }, Object.entries(data.tasks).map(([name, { title }]) => option(name, title)));
  const example = el("select", { id: "atlas-play-example" });
  const prompt = el("textarea", { id: "atlas-play-prompt", rows: 3, maxlength: 600, spellcheck: "false" });
  const lanes = [chooser("First", "a", "vote"), chooser("Beside it", "b", "one", true)];
  const size = el("p", { class: "atlas-play-size" });
  const go = el("button", { type: "submit", class: "atlas-button" }, "Start");
  const halt = el("button", { type: "button", class: "atlas-button", click: stop, disabled: true }, "Stop");
  const out = el("div", { class: "atlas-play-lanes" });
  const form = el("form", { id: "atlas-play-form", submit: (event) => { event.preventDefault(); run(); } },
    el("fieldset", {}, el("legend", {}, "The question"),
      el("label", { for: "atlas-play-task" }, "Task"), task,
      el("label", { for: "atlas-play-example" }, "Example"), example,
      el("label", { for: "atlas-play-prompt" }, "Prompt, yours or the example's"), prompt),
    ...lanes.map((lane) => lane.fields),
    el("div", { class: "atlas-play-start" }, size, el("p", {}, go, " ", halt)));
  root.replaceChildren(form, out);

  let worker;
  let count = 0;
  let running = new Map();

  /** The controls of one way. */
  function chooser(legend, id, chosen, optional = false) {
    const way = el("select", { id: `atlas-play-way-${id}` }, optional && option("", "Nothing"), Object.entries(WAYS).map(([name, { name: title }]) => option(name, title)));
    const pool = el("select", { id: `atlas-play-pool-${id}` }, Object.entries(POOLS).map(([name, title]) => option(name, title)));
    const model = el("select", { id: `atlas-play-model-${id}` }, Object.entries(data.pools).map(([name, names]) => el("optgroup", { label: POOLS[name] },
      [...names].reverse().map((one) => option(one, `${one}: ${data.cards[one].role}, $${data.cards[one].price.completion.toFixed(2)} a million tokens, ${megabytes(data.cards[one].bytes)}`)))));
    const told = el("p", { class: "atlas-play-members" });
    way.value = optional ? "" : chosen;
    const poolRow = el("div", {}, el("label", { for: pool.id }, "Pool"), pool);
    const modelRow = el("div", {}, el("label", { for: model.id }, "Model"), model);
    return {
      way, pool, model, told,
      fields: el("fieldset", {}, el("legend", {}, legend), el("label", { for: way.id }, "Way"), way, poolRow, modelRow, told),
      get value() {
        if (!way.value) return null;
        const names = WAYS[way.value].names(pool.value, task.value, model.value);
        return { way: way.value, pool: pool.value, names };
      },
      show() {
        const one = way.value === "one";
        const pools = WAYS[way.value]?.pools;
        if (pools) pool.value = pools[0];
        poolRow.hidden = !way.value || one || Boolean(pools);
        modelRow.hidden = !one;
        told.textContent = this.value && !one ? `${way.value === "route" ? "May choose" : "Asks"} ${this.value.names.join(", ")}.` : "";
        if (way.value === "cascade" && this.value) told.textContent = `Asks ${this.value.names[0]}, and ${this.value.names[1]} where it is needed.`;
      },
    };
  }

  function examples() {
    const { queries } = data.tasks[task.value];
    example.replaceChildren(...queries.map((query, i) => option(String(i), query.prompt.replace(/^Q: /, "").replace(/\nA:$/, ""))), option("", "Your own"));
  }

  /** The query that stands in the form. */
  function query() {
    const { queries, kind, maxTokens } = data.tasks[task.value];
    const chosen = queries[Number(example.value)];
    if (example.value !== "" && chosen.prompt === prompt.value) return chosen;
    return { prompt: prompt.value, kind, maxTokens, options: [] };
  }

  function refresh() {
    for (const lane of lanes) lane.show();
    const chosen = lanes.map((lane) => lane.value).filter(Boolean);
    const names = new Set(chosen.flatMap(({ names }) => names));
    const sum = [...names].reduce((total, name) => total + data.cards[name].bytes, data.runtimeBytes + (chosen.some(({ way }) => way === "route") ? data.routerBytes : 0));
    size.textContent = `Start loads up to ${megabytes(sum)} once: ${megabytes(data.runtimeBytes)} of runtime, and ${names.size === 1 ? "one model" : `${names.size} models`}. Your browser keeps them. Nothing you type leaves this page.`;
    go.disabled = !prompt.value.trim() || !chosen.length;
  }

  /** The choice into the address, in the same form as it is read. */
  function note() {
    const search = new URLSearchParams({ task: task.value });
    if (example.value !== "" && query().id) search.set("example", example.value);
    else search.set("prompt", prompt.value);
    lanes.forEach((lane, i) => { if (lane.value) search.set("ab"[i], [lane.way.value, lane.way.value === "one" ? lane.model.value : lane.pool.value].join(":")); });
    history.replaceState(null, "", `?${search}`);
  }

  function recall() {
    const search = new URLSearchParams(location.search);
    if (search.get("task") in data.tasks) task.value = search.get("task");
    examples();
    const chosen = search.get("example");
    if (search.has("prompt")) example.value = "";
    else if (chosen !== null && data.tasks[task.value].queries[chosen]) example.value = chosen;
    prompt.value = search.get("prompt") ?? data.tasks[task.value].queries[Number(example.value)].prompt;
    lanes.forEach((lane, i) => {
      const [way, of] = (search.get("ab"[i]) ?? "").split(":");
      if (!(way in WAYS)) return;
      lane.way.value = way;
      const select = way === "one" ? lane.model : lane.pool;
      if ([...select.options].some(({ value }) => value === of)) select.value = of;
    });
  }

  function stop() {
    for (const id of running.keys()) worker?.postMessage({ type: "stop", id });
    for (const lane of running.values()) if (!lane.ended) lane.say("Stopped.");
    running = new Map();
    settle();
  }

  function settle() {
    halt.disabled = running.size === 0;
    root.dataset.state = running.size ? "running" : "ready";
  }

  function run() {
    stop();
    note();
    worker ??= begin();
    out.replaceChildren();
    const asked = query();
    for (const lane of lanes) {
      const chosen = lane.value;
      if (!chosen) continue;
      const id = ++count;
      const title = chosen.way === "one" ? `${chosen.names[0]} alone` : `${WAYS[chosen.way].name.split(":").at(-1).trim()}, ${POOLS[chosen.pool]}`;
      const shown = new Lane(title[0].toUpperCase() + title.slice(1), (place) => out.append(place));
      shown.say("Loads what it needs …");
      running.set(id, shown);
      worker.postMessage({ type: "run", id, task: task.value, query: asked, ...chosen });
    }
    settle();
  }

  function begin() {
    const made = new Worker(new URL("play/worker.js", import.meta.url), { type: "module" });
    made.onmessage = ({ data: told }) => {
      const lane = running.get(told.id);
      if (!lane) return;
      if (told.type === "loading") lane.say(`Loaded ${megabytes(told.bytes)} more …`);
      if (told.type === "event") {
        lane.say("Runs.");
        lane.add(told.event);
      }
      if (told.type === "done") lane.finish(told.text, told.usage);
      if (told.type === "failed") lane.say(`It failed: ${told.message}`);
      if (told.type === "done" || told.type === "failed") {
        running.delete(told.id);
        settle();
      }
    };
    made.onerror = (event) => {
      for (const lane of running.values()) lane.say(`The models could not be started: ${event.message || "the browser does not say why"}`);
      running = new Map();
      worker = undefined;
      settle();
    };
    return made;
  }

  task.addEventListener("change", () => { examples(); prompt.value = data.tasks[task.value].queries[0].prompt; refresh(); });
  example.addEventListener("change", () => { if (example.value !== "") prompt.value = data.tasks[task.value].queries[Number(example.value)].prompt; refresh(); });
  prompt.addEventListener("input", () => { if (!query().id) example.value = ""; refresh(); });
  for (const { way, pool, model } of lanes) for (const select of [way, pool, model]) select.addEventListener("change", refresh);
  recall();
  refresh();
  settle();
}

if (root && data.tasks) {
  if (typeof WebAssembly === "object" && typeof DecompressionStream === "function") start();
  else root.textContent = "This browser has no WebAssembly, which the models need. Recorded runs stand below.";
}
