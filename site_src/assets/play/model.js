// A built-in model under onnxruntime-web, as reference_impls/backends/builtin.py runs it under ONNX Runtime.

import { argmax, logSoftmax } from "./numbers.js";
import { END, Tokenizer } from "./tokenizer.js";

/** Positions that the models know. */
export const CONTEXT = 512;

/** @typedef {{name: string, role: string, parameters: number, layers: number, width: number, heads: number,
 *   tokenizer: string, bytes: number, price: {prompt: number, completion: number}}} Card of a model, from models.json;
 *   prices in US dollars a million tokens
 * @typedef {any[]} Cache tensors k0, v0, k1, … of [1, heads, time, dim]
 * @typedef {{model: string, text: string, pieces: string[], logprobs: number[], promptTokens: number,
 *   completionTokens: number, ms: number, finished: boolean}} Generation one response */

export class Model {
  /** @param {any} ort the runtime
   * @param {Card} card
   * @param {any} session the loaded graph
   * @param {Tokenizer} tokenizer */
  constructor(ort, card, session, tokenizer) {
    this.ort = ort;
    this.card = card;
    this.name = card.name;
    this.tokenizer = tokenizer;
    this.vocabulary = tokenizer.vocabulary;
    /** Milliseconds inside forward passes. */
    this.forwardMs = 0;
    this.session = session;
    this.names = Array.from({ length: card.layers }, (_, i) => [`k${i}`, `v${i}`]).flat();
    const empty = () => new ort.Tensor("float32", new Float32Array(0), [1, card.heads, 0, card.width / card.heads]);
    /** @type {Cache} */
    this.empty = this.names.map(empty);
  }

  /** Loads a graph.
   * @param {any} ort
   * @param {Card} card
   * @param {Uint8Array} graph
   * @param {Tokenizer} tokenizer */
  static async load(ort, card, graph, tokenizer) {
    const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    return new Model(ort, card, session, tokenizer);
  }

  /** What a prompt is for the model: its tokens behind the one that begins every text.
   * @param {string} prompt
   * @returns {number[]} */
  read(prompt) {
    const ids = [END, ...this.tokenizer.encode(prompt)];
    if (ids.length >= CONTEXT) {
      throw new RangeError(`${this.name}: a prompt of ${ids.length} tokens leaves no room for a response in the context of ${CONTEXT}: shorten it`);
    }
    return ids;
  }

  /** One forward pass: tokens after a cache of some length, and the token before them.
   * @param {number[]} tokens
   * @param {Cache} past
   * @param {number} [before]
   * @returns {Promise<{logits: Float32Array, rows: Float32Array[], past: Cache}>} logits of the token that follows the
   *   last one, and those of what follows each of them */
  async forward(tokens, past, before = END) {
    const started = performance.now();
    const { Tensor } = this.ort;
    const length = tokens.length;
    const start = past[0].dims[2];
    if (start + length > CONTEXT) throw new RangeError(`${this.name}: a text of ${start + length} tokens is longer than the context of ${CONTEXT}`);
    const row = (/** @type {number[]} */ values) => new Tensor("int64", BigInt64Array.from(values, BigInt), [1, length]);
    const mask = new Float32Array(length * (start + length));
    for (let i = 0; i < length; i++) mask.fill(-1e9, i * (start + length) + start + i + 1, (i + 1) * (start + length));
    /** @type {Record<string, any>} */
    const feed = {
      tokens: row(tokens),
      previous: row([before, ...tokens.slice(0, -1)]),
      positions: new Tensor("int64", BigInt64Array.from(tokens, (_, i) => BigInt(start + i)), [length]),
      mask: new Tensor("float32", mask, [length, start + length]),
    };
    this.names.forEach((name, i) => { feed[name] = past[i]; });
    const found = await this.session.run(feed);
    const [first, ...rest] = this.session.outputNames;
    const size = found[first].dims[2];
    const rows = Array.from({ length }, (_, i) => found[first].data.slice(i * size, (i + 1) * size));
    this.forwardMs += performance.now() - started;
    return { logits: rows[length - 1], rows, past: rest.map((/** @type {string} */ name) => found[name]) };
  }

  /** A greedy response, token by token; what is yielded is the step, what is returned the response.
   * @param {string} prompt
   * @param {number} maxTokens
   * @returns {AsyncGenerator<{token: number, logs: Float64Array}, Generation>} */
  async *generate(prompt, maxTokens) {
    const started = performance.now();
    const ids = this.read(prompt);
    const most = Math.min(maxTokens, CONTEXT - ids.length);
    const written = [];
    const logprobs = [];
    let { logits, past } = await this.forward(ids, this.empty);
    let before = ids[ids.length - 1];
    for (let step = 0; step < most; step++) {
      const token = argmax(logits);
      const logs = logSoftmax(logits);
      written.push(token);
      logprobs.push(logs[token]);
      yield { token, logs };
      if (token === END || step + 1 === most) break;
      ({ logits, past } = await this.forward([token], past, before));
      before = token;
    }
    const kept = written.filter((token) => token !== END);
    return {
      model: this.name,
      text: this.tokenizer.decode(kept),
      pieces: kept.map((token) => this.tokenizer.decode([token])),
      logprobs,
      promptTokens: ids.length,
      completionTokens: written.length,
      ms: performance.now() - started,
      finished: written[written.length - 1] === END,
    };
  }
}

/** US dollars of tokens read and written.
 * @param {Card} card
 * @param {number} prompt
 * @param {number} completion */
export const costOf = (card, prompt, completion) => (card.price.prompt * prompt + card.price.completion * completion) / 1e6;

/** How sure a response was of itself, exp(mean log-probability), in [0, 1].
 * @param {Generation} response */
export function confidence(response) {
  if (!response.logprobs.length) return 0;
  return Math.exp(response.logprobs.reduce((sum, value) => sum + value, 0) / response.logprobs.length);
}
