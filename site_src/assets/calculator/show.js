// What the worker has found, as elements. Unknown shows as unknown.

import { counted, el } from "../dom.js";

/** @typedef {import("./analysis.js").Read} Read
 * @typedef {import("./advice.js").Advice} Advice
 * @typedef {import("./advice.js").Row} Row
 * @typedef {import("./preflight.js").Preflight} Preflight
 * @typedef {import("./preflight.js").Room} Room
 * @typedef {import("./verifier.js").Chain} Chain
 * @typedef {import("./verifier.js").Verifier} Verifier */

const FAULTS = 200; // that are shown; the count tells of the rest, and the file has all
const signed = (/** @type {number} */ share) => `${share < 0 ? "\u2212" : "+"}${Math.abs(100 * share).toFixed(1)}`;
const money = (/** @type {number | null} */ dollars) => (dollars === null ? "unknown" : `${Number((1000 * dollars).toPrecision(4))}`);
const seconds = (/** @type {number | null} */ value) => (value === null ? "unknown" : `${Number(value.toPrecision(3))}`);

/** @param {string} label @param {string[]} heads @param {(string | Node)[][]} rows */
function table(label, heads, rows) {
  return el("div", { class: "atlas-table-scroll atlas-tight", tabindex: "0", role: "region", "aria-label": label },
    el("table", {},
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map(([head, ...cells]) =>
        el("tr", {}, el("th", { scope: "row" }, head), cells.map((cell) => el("td", {}, cell)))))));
}

/** @param {Read} read */
export function showRead(read) {
  const told = `${counted(read.rows, "row")}, ${counted(read.queries, "query", "queries")}, `
    + `${counted(read.models.length, "model")}; ${counted(read.faults.length, "fault")}.`;
  /** @type {HTMLElement[]} */
  const made = [el("h2", {}, "What was read"), el("p", {}, told)];
  if (read.notes.length) made.push(el("ul", {}, read.notes.map((note) => el("li", {}, note))));
  if (read.faults.length) {
    const lines = read.faults.map(({ line, what, mend }) => `line ${line}: ${what} (${mend})`);
    const url = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
    made.push(el("details", { open: true, class: "atlas-calc-faults" },
      el("summary", {}, "Lines that could not be used"),
      el("ul", {}, lines.slice(0, FAULTS).map((line) => el("li", {}, line))),
      lines.length > FAULTS && el("p", {}, `The first ${FAULTS} of ${lines.length.toLocaleString("en")}.`),
      el("p", {}, el("a", { href: url, download: "faults.txt" }, "Download all of them"))));
  }
  return made;
}

/** @param {Room} room */
const above = (room) => [
  room.score.toFixed(3), `${signed(room.gain)}`, `${signed(room.low)} to ${signed(room.high)}`,
];

/** @param {Preflight} found */
export function showPreflight(found) {
  const unknown = (/** @type {string} */ why) => [`unknown: ${why}`, "", ""];
  const one = found.tasks < 2 ? "all queries are of one task" : "too few queries a task";
  const rooms = /** @type {[string, Room | null, string][]} */ ([
    ["Oracle: the best response to each query", found.oracle, ""],
    ["Plurality of all models", found.plurality, "no answers can be compared"],
    ["Best model of each task, in hindsight", found.taskHindsight, one],
    ["Best model of each task, chosen on half", found.taskChosen, one],
  ]);
  const order = found.models.map((_, j) => j).sort((a, b) => found.scores[b] - found.scores[a]);
  const percent = (/** @type {number | null} */ value) => (value === null ? "?" : `${(100 * value).toFixed(0)}`);
  const effective = found.effective === null ? "unknown"
    : `${Number.isFinite(found.effective) ? found.effective.toFixed(1) : "more than all"} of ${found.models.length}`;
  const facts = [
    ["Effective number of independent models", effective],
    ["Mean correlation of errors", found.meanCorrelation === null ? "unknown" : found.meanCorrelation.toFixed(2)],
    ["Agreement of two responses", `${(100 * found.agreement).toFixed(1)} %`],
    ["Queries on which not all agree", `${(100 * found.disagree).toFixed(1)} %`],
    ...found.needed.map(([gain, count]) => [`Labels to find a gain of ${Number((100 * gain).toPrecision(6))} points`,
      `${count.toLocaleString("en")} queries (power .8, 5 % error)`]),
  ];
  return [
    el("h2", {}, "Before any method"), el("p", {}, found.sentence),
    table("Models alone", ["Model", "Mean score", "US dollars for 1,000 queries"],
      order.map((j) => [found.models[j], found.scores[j].toFixed(3), found.costs ? money(found.costs[j]) : "unknown"])),
    found.models.length > 1 && el("h3", {}, "Room above the best single model"),
    found.models.length > 1 && table("Room above the best single model", ["", "Mean score", "Points above", "95 % interval"],
      rooms.map(([label, room, why]) => [label, ...(room ? above(room) : unknown(why))])),
    el("dl", { class: "atlas-calc-facts" }, facts.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])),
    found.models.length > 1 && el("h3", {}, "Who errs together"),
    found.models.length > 1 && table("Correlation of errors in per cent", ["Correlation, %", ...found.models],
      found.models.map((model, i) => [model, ...found.models.map((_, j) => (i === j ? "" : percent(found.correlation[i][j])))])),
  ].filter((part) => part instanceof Node);
}

/** A slider whose value is told beside it; `changed` is called when it comes to rest.
 * @param {string} id @param {string} label @param {{min: number, max: number, step: number, value: number}} range
 * @param {(value: number) => string} said @param {(value: number) => void} changed */
function slider(id, label, range, said, changed) {
  const output = el("output", { for: id }, said(range.value));
  const input = el("input", { type: "range", id, ...range, "aria-valuetext": said(range.value) });
  input.addEventListener("input", () => {
    output.textContent = said(Number(input.value));
    input.setAttribute("aria-valuetext", said(Number(input.value)));
  });
  input.addEventListener("change", () => changed(Number(input.value)));
  return el("div", { class: "atlas-calc-slider" }, el("label", { for: id }, label), input, output);
}

const NAMES = /** @type {Record<string, string>} */ ({
  "task-router": "Best model of each task", "majority-vote": "Plurality vote", "agreement-cascade": "Agreement cascade",
  oracle: "Oracle (not to be had)", random: "A model at random", coin: "A coin between two models",
});

/** @param {HTMLElement} part the section; its sliders stay as they are while the numbers change
 * @param {string} title @param {() => Node[]} controls @param {(Node | false | null)[]} content */
function fill(part, title, controls, content) {
  if (!part.children.length) part.append(el("h2", {}, title), ...controls(), el("div", {}));
  part.lastElementChild?.replaceChildren(...content.filter((one) => one instanceof Node));
}

/** @param {HTMLElement} part @param {HTMLElement} next @param {Advice | null} advice @param {Read} read
 * @param {{margin: number, threshold: number}} settings
 * @param {(changed: {margin: number, threshold: number}) => void} changed */
export function showAdvice(part, next, advice, read, settings, changed) {
  if (!advice) return;
  let now = settings;
  const change = (/** @type {Partial<typeof settings>} */ part_) => {
    now = { ...now, ...part_ };
    changed(now);
  };
  const controls = () => [el("div", { class: "atlas-calc-sliders" },
    slider("atlas-calc-margin", "As good may be worse by", { min: 0, max: 5, step: 0.5, value: 100 * settings.margin },
      (value) => `${value} ${value === 1 ? "point" : "points"}`, (value) => change({ margin: value / 100 })),
    !advice.withoutAnswers && slider("atlas-calc-threshold", "A tier is believed if this share of it agrees",
      { min: 0.5, max: 1, step: 0.01, value: settings.threshold }, (value) => `${Math.round(100 * value)} %`,
      (value) => change({ threshold: value })))];
  const alone = advice.rows.filter((row) => row.kind === "model" && row.cost !== null)
    .filter((row) => (row.gain.adjusted ?? [row.gain.low])[0] >= -settings.margin)
    .sort((a, b) => /** @type {number} */ (a.cost) - /** @type {number} */ (b.cost));
  const margin = Number((100 * settings.margin).toPrecision(6));
  const points = `${margin} ${margin === 1 ? "point" : "points"}`;
  const cheapest = !read.priced ? `Which is the cheapest model within ${points} is not known, as costs are missing.`
    : alone.length ? `The cheapest model that is surely within ${points} of the best single one: ${alone[0].name}, at `
      + `${money(alone[0].cost)} US dollars for 1,000 queries.`
      : `No model is surely within ${points} of the best single one: the labels are too few, or the others worse.`;
  const row = (/** @type {Row} */ one) => [
    NAMES[one.name] && one.kind !== "model" ? NAMES[one.name] : one.name, one.score.toFixed(3), signed(one.gain.mean),
    (one.gain.adjusted ?? [one.gain.low, one.gain.high]).map(signed).join(" to "),
    one.kind === "baseline" ? "\u2013" : one.verdict, money(one.cost), seconds(one.latency.high), one.calls.toFixed(2),
  ];
  const best = { ...advice.baseline, name: "Best single model, chosen on train" };
  const sentences = advice.verdict.sentences;
  fill(part, "What to use", controls, [
    el("p", { class: "atlas-calc-verdict" }, el("strong", {}, sentences[0])),
    ...sentences.slice(1).map((sentence) => el("p", {}, sentence)), el("p", {}, cheapest),
    table("Ways to use the models", ["Way", "Mean score", "Points over the best single model", "95 % interval",
      "Verdict", "US dollars for 1,000", "95th percentile, s", "Calls"], [row(best), ...advice.rows.map(row)]),
    el("p", {}, `${counted(advice.queries, "query", "queries")} in ${advice.folds} folds, dealt out ${advice.repeats === 1
      ? "once" : `${advice.repeats} times`}; gains are paired on the same queries, and the intervals of models and methods `
      + `are adjusted to ${advice.tests} comparisons (Holm). `
      + (advice.withoutAnswers ? "Without columns MODEL:answer no vote and no agreement cascade can be tried." : "")),
  ]);
  const command = [`atlas import csv table.csv --out table${read.prompts ? "" : " --column prompt=id"}`,
    "atlas preflight recorded:table",
    `atlas recommend recorded:table --margin ${margin}`];
  next.replaceChildren(el("h2", {}, "The rest of the methods"),
    el("p", {}, "These commands give the same numbers on your machine, and try every method that fits: routers that read "
      + "the prompt, learned cascades, weighted votes. Beside more methods the intervals are wider. "
      + (settings.threshold === 1 ? "" : "The agreement cascade asks for full agreement there.")),
    el("pre", { tabindex: "0" }, el("code", {}, command.join("\n"))));
}

/** @param {HTMLElement} part @param {Chain[] | null} chains @param {Verifier} verifier
 * @param {(changed: Verifier) => void} changed */
export function showVerifier(part, chains, verifier, changed) {
  if (!chains) {
    part.replaceChildren(el("h2", {}, "A cascade with a verifier"), el("p", {}, "Not known: it takes two models or more, "
      + "and the cost of every response."));
    return;
  }
  let now = verifier;
  const change = (/** @type {Partial<Verifier>} */ one) => {
    now = { ...now, ...one };
    changed(now);
  };
  const percent = (/** @type {number} */ value) => `${Math.round(100 * value)} %`;
  const range = (/** @type {number} */ value) => ({ min: 0, max: 1, step: 0.01, value });
  const controls = () => [el("div", { class: "atlas-calc-sliders" },
    slider("atlas-calc-accept", "Wrong answers it lets through", range(verifier.falseAccept), percent,
      (value) => change({ falseAccept: value })),
    slider("atlas-calc-reject", "Right answers it rejects", range(verifier.falseReject), percent,
      (value) => change({ falseReject: value })),
    slider("atlas-calc-price", "A check costs, of the last model's answer", range(verifier.share), percent,
      (value) => change({ share: value })))];
  const gain = (/** @type {Chain} */ chain) => chain.lead?.gain ?? -Infinity;
  const sorted = [...chains].sort((a, b) => gain(b) - gain(a));
  fill(part, "A cascade with a verifier", controls, [
    el("p", {}, "In expectation over the verifier's errors, on these very queries: the chain is the best of many here, so "
      + "its lead flatters it. A plus says that it gives more than single models at the same cost, mixed by a coin; the "
      + "intervals of all chains hold together in 95 of 100 samples of queries."),
    table("Cascades with a verifier", ["Chain, cheapest first", "Expected score", "US dollars for 1,000 queries",
      "Points over single models at that cost", "Interval", "Asks the last model"],
    sorted.slice(0, 12).map((chain) => [chain.models.join(" \u2192 "), chain.quality.toFixed(3), money(chain.cost),
      ...(chain.lead ? [signed(chain.lead.gain), `${signed(chain.lead.low)} to ${signed(chain.lead.high)}`] : ["cheaper than any", ""]),
      percent(chain.reached[chain.reached.length - 1])])),
    sorted.length > 12 && el("p", {}, `The 12 that lead most, of ${sorted.length} chains.`),
  ]);
}
