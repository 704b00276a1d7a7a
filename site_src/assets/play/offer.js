// What the page offers, as scripts/render/live.py tells it, and what an address asks of it.

/** @typedef {import("./ask.js").Query & {id?: string}} Query
 * @typedef {{way: string, pool: string, names: string[]}} Chosen a way, its pool, and the models that it may load
 * @typedef {{title: string, short: string, pools: Record<string, Record<string, string[]>>}} Way models by pool and task
 * @typedef {{role: string, bytes: number, price: {prompt: number, completion: number}}} Card
 * @typedef {{title: string, kind: string, maxTokens: number, queries: Query[]}} Task
 * @typedef {{runtimeBytes: number, routerBytes: number, cards: Record<string, Card>, pools: Record<string, string[]>,
 *   ways: Record<string, Way>, tasks: Record<string, Task>}} Offer
 * @typedef {{task: string, example: number | null, query: Query, lanes: (Chosen | null)[]}} Asked */

/** @type {Record<string, string>} */
export const POOLS = { builtin: "specialists", peers: "peers" };
/** The names of the lanes in an address. */
export const LANES = ["a", "b"];

export const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** What stands in the page.
 * @returns {Offer | null} */
export function offered() {
  return JSON.parse(document.getElementById("atlas-play-data")?.textContent || "null");
}

/** What an address asks for; what it leaves out, or what is not offered, is the first that is.
 * @param {URLSearchParams} search
 * @param {Offer} offer
 * @returns {Asked} */
export function askedBy(search, offer) {
  const named = search.get("task") ?? "";
  const task = Object.hasOwn(offer.tasks, named) ? named : Object.keys(offer.tasks)[0];
  const { queries, kind, maxTokens } = offer.tasks[task];
  const own = search.get("prompt");
  const place = Number(search.get("example") ?? 0);
  const example = own !== null ? null : queries[place] ? place : 0;
  const query = example === null ? { prompt: own ?? "", kind, maxTokens, options: [] } : queries[example];
  return { task, example, query, lanes: LANES.map((lane) => laneOf(search.get(lane) ?? "", task, offer)) };
}

/** A lane of an address, such as `vote:builtin` or `one:oak`.
 * @param {string} told
 * @param {string} task
 * @param {Offer} offer
 * @returns {Chosen | null} */
function laneOf(told, task, offer) {
  const [way, of] = told.split(":");
  if (!Object.hasOwn(offer.ways, way)) return null;
  if (way !== "one") {
    const { pools } = offer.ways[way];
    const pool = Object.hasOwn(pools, of) ? of : Object.keys(pools)[0];
    return { way, pool, names: pools[pool][task] };
  }
  const pools = Object.keys(offer.pools);
  const pool = pools.find((name) => offer.pools[name].includes(of));
  return { way, pool: pool ?? pools[0], names: [pool ? of : /** @type {string} */ (offer.pools[pools[0]].at(-1))] };
}

/** The address of a choice, in the form in which `askedBy` reads it.
 * @param {Asked} asked
 * @returns {URLSearchParams} */
export function addressOf({ task, example, query, lanes }) {
  const search = new URLSearchParams({ task });
  if (example === null) search.set("prompt", query.prompt);
  else search.set("example", String(example));
  lanes.forEach((lane, i) => { if (lane) search.set(LANES[i], `${lane.way}:${lane.way === "one" ? lane.names[0] : lane.pool}`); });
  return search;
}

/** What Start loads, in words.
 * @param {Chosen[]} lanes
 * @param {Offer} offer */
export function sizeOf(lanes, offer) {
  const names = new Set(lanes.flatMap((lane) => lane.names));
  const router = lanes.some(({ way }) => way === "route") ? offer.routerBytes : 0;
  const sum = [...names].reduce((total, name) => total + offer.cards[name].bytes, offer.runtimeBytes + router);
  return `Start loads up to ${megabytes(sum)} once: ${megabytes(offer.runtimeBytes)} of runtime, and ${names.size === 1 ? "one model" : `${names.size} models`}. Your browser keeps them. Nothing you type leaves this page.`;
}

/** A lane's heading.
 * @param {Chosen} lane
 * @param {Offer} offer */
export function titleOf({ way, pool, names }, offer) {
  return way === "one" ? `${names[0][0].toUpperCase()}${names[0].slice(1)} alone` : `${offer.ways[way].short}, ${POOLS[pool]}`;
}

/** Whether this browser can run models. */
export const able = () => typeof WebAssembly === "object" && typeof DecompressionStream === "function";
