// A text under one model that is driven token by token, and what it costs: BuiltinSession of
// reference_impls/backends/builtin.py, billed as reference_impls/core/meter.py bills it.

import { logSoftmax } from "./numbers.js";
import { END } from "./tokenizer.js";

/** @typedef {import("./model.js").Model} Model
 * @typedef {import("./usage.js").Usage} Usage */

export class Session {
  /** @param {Model} model
   * @param {string} prompt
   * @param {Usage} usage where its tokens are booked */
  constructor(model, prompt, usage) {
    this.model = model;
    this.usage = usage;
    this.ids = model.read(prompt);
    this.prompt = this.ids.length;
    this.past = model.empty;
    /** Tokens that the cache holds. */
    this.seen = 0;
    /** @type {Float32Array | null} */
    this.logits = null;
    // Appended tokens that no pass has read; how many of them the last distribution has paid for; whether the
    // distribution at the end of the text has been paid for.
    this.unread = this.paid = 0;
    this.asked = false;
    usage.record(model.card, 1, this.prompt, 0);
  }

  /** Tokens of the response. */
  get tokens() {
    return this.ids.slice(this.prompt);
  }

  /** Logits of the next token. */
  async nextLogits() {
    const logits = await this.read();
    if (!this.asked) {
      this.usage.record(this.model.card, 0, Math.max(this.unread - this.paid, 0), 1);
      [this.unread, this.paid, this.asked] = [0, 1, true];
    }
    return logits;
  }

  /** The same, without a bill. @returns {Promise<Float32Array>} */
  async read() {
    if (this.logits) return this.logits;
    const before = this.seen ? this.ids[this.seen - 1] : END;
    const { logits, past } = await this.model.forward(this.ids.slice(this.seen), this.past, before);
    [this.logits, this.past, this.seen] = [logits, past, this.ids.length];
    return logits;
  }

  /** Log-probabilities of tokens that would follow; the text stays as it is. One forward pass.
   * @param {number[]} tokens
   * @returns {Promise<number[]>} */
  async score(tokens) {
    const rows = tokens.length ? [await this.read()] : [];
    if (tokens.length > 1) {
      const { rows: more } = await this.model.forward(tokens.slice(0, -1), this.past, this.ids[this.ids.length - 1]);
      rows.push(...more);
    }
    this.usage.record(this.model.card, 1, Math.max(this.unread - this.paid, 0) + tokens.length, 0);
    [this.unread, this.paid] = [0, 0];
    return tokens.map((token, i) => logSoftmax(rows[i])[token]);
  }

  /** An independent copy; the cache, which is never written into, is shared.
   * @returns {Session} */
  fork() {
    return Object.assign(Object.create(Session.prototype), this, { ids: [...this.ids] });
  }

  /** @param {number[]} tokens */
  append(tokens) {
    if (!tokens.length) return;
    this.ids.push(...tokens);
    this.logits = null;
    this.unread += tokens.length;
    this.asked = false;
  }

  /** Takes the last tokens of the response back.
   * @param {number} count */
  rollback(count) {
    if (!count) return;
    this.ids.length -= count;
    // One token before the end stays unread, so that the next forward pass has something to read.
    this.seen = Math.min(this.seen, this.ids.length - 1);
    this.past = this.past.map((tensor) => cut(this.model.ort, tensor, this.seen));
    this.logits = null;
    this.unread = Math.max(this.unread - count, 0);
    this.asked = false;
  }
}

/** The first positions of keys or values.
 * @param {any} ort
 * @param {any} tensor of [1, heads, time, dim]
 * @param {number} length
 * @returns {any} */
function cut(ort, tensor, length) {
  const [, heads, time, dim] = tensor.dims;
  if (time === length) return tensor;
  const kept = new Float32Array(heads * length * dim);
  for (let head = 0; head < heads; head++) {
    kept.set(tensor.data.subarray(head * time * dim, (head * time + length) * dim), head * length * dim);
  }
  return new ort.Tensor("float32", kept, [1, heads, length, dim]);
}
