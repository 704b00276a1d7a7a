// Runs the models, away from the page, which stays quick. It is started by the reader and fetches what a run needs.
//
// In:  {type: "run", id, way, pool, task, query, model}
// Out: {type: "loading", id, bytes}, {type: "event", id, event}, {type: "done", id, text}, {type: "failed", id, message}

import { halves } from "./embed.js";
import { fetched, interleaved } from "./load.js";
import { Model } from "./model.js";
import { Tokenizer } from "./tokenizer.js";
import { Usage } from "./usage.js";
import { WAYS } from "./ways.js";

/** How long the worker hears nothing. */
const BREATH_MS = 30;
const HERE = new URL("./", import.meta.url);

/** @type {Promise<any>} */
const site = fetch(new URL("models.json", HERE)).then((response) => response.json());
/** @type {Promise<any> | undefined} */
let runtime;
/** @type {Map<string, Promise<Model>>} */
const models = new Map();
/** @type {Promise<Float32Array> | undefined} */
let axes;
/** Told of every file that has come. @type {(bytes: number) => void} */
let loaded = () => undefined;

/** The runtime, loaded once. One thread: a static site cannot ask for the isolation that more of them need. */
function ready() {
  runtime ??= (async () => {
    const { version, runtimeBytes } = await site;
    const ort = await import(new URL("runtime/ort.wasm.min.js", HERE).href);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = { mjs: new URL("runtime/ort-wasm-simd-threaded.js", HERE).href };
    const packed = new URL("runtime/ort-wasm-simd-threaded.wasm.gz", HERE);
    ort.env.wasm.wasmBinary = (await fetched(packed, version)).buffer;
    loaded(runtimeBytes);
    return ort;
  })();
  return runtime;
}

/** A model, loaded once.
 * @param {string} name
 * @returns {Promise<Model>} */
function model(name) {
  let found = models.get(name);
  if (!found) {
    found = (async () => {
      const { version, cards, tokenizers } = await site;
      const card = cards[name];
      const graph = interleaved(await fetched(new URL(`weights/${name}.onnx.gz`, HERE), version));
      const made = await Model.load(await ready(), card, graph, new Tokenizer(tokenizers[card.tokenizer]));
      loaded(card.bytes);
      return made;
    })();
    models.set(name, found);
  }
  return found;
}

/** What a way has learned for a pool and a task. */
async function fittedFor(/** @type {string} */ way, /** @type {string} */ pool, /** @type {string} */ task) {
  const { fitted, router, version } = await site;
  if (way !== "route") return fitted[pool][task];
  axes ??= fetched(new URL("router.f16.gz", HERE), version).then(halves);
  return { router: { ...router, values: await axes } };
}

/** @param {{id: number, way: string, pool: string, task: string, query: any, names: string[]}} asked */
async function run({ id, way, pool, task, query, names }) {
  loaded = (bytes) => postMessage({ type: "loading", id, bytes });
  await ready();
  const usage = new Usage();
  const fitted = await fittedFor(way, pool, task);
  let loading = 0; // milliseconds that are none of the run's
  const load = async (/** @type {string} */ name) => {
    const from = performance.now();
    const found = await model(name);
    loading += performance.now() - from;
    return found;
  };
  const started = performance.now();
  let breath = started;
  const playing = WAYS[way]({ query, names, model: load, usage, fitted });
  for (;;) {
    const { value, done } = await playing.next();
    const told = { ...usage.now, ms: performance.now() - started - loading };
    if (done) {
      postMessage({ type: "done", id, text: value, usage: told });
      return;
    }
    postMessage({ type: "event", id, event: { ...value, usage: told } });
    if (performance.now() - breath > BREATH_MS) {
      await new Promise((go) => setTimeout(go)); // so that a word to stop is heard
      breath = performance.now();
    }
    if (stopped.has(id)) return;
  }
}

/** Runs that the reader has left. @type {Set<number>} */
const stopped = new Set();
/** The runs follow one another. @type {Promise<void>} */
let last = Promise.resolve();

self.onmessage = ({ data }) => {
  if (data.type === "stop") {
    stopped.add(data.id);
    return;
  }
  last = last.then(() => run(data)).catch((error) => {
    postMessage({ type: "failed", id: data.id, message: String(error?.message ?? error) });
  });
};
