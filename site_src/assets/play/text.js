// A response that grows by bytes, whoever chose them: TextSession of reference_impls/core/decoding.py.

import { decoded } from "./bytes.js";
import { CONTEXT } from "./model.js";
import { argmax } from "./numbers.js";
import { Session } from "./session.js";

const UTF8 = /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/y;

export class Text {
  /** @param {import("./model.js").Model} model
   * @param {string} prompt
   * @param {import("./usage.js").Usage} usage */
  constructor(model, prompt, usage) {
    this.model = model;
    this.session = new Session(model, prompt, usage);
    /** The response so far, a byte string. */
    this.data = "";
    this.space = CONTEXT - this.session.prompt;
    // Tokens, and their bytes, before the last blank or line break: those never change again.
    this.tail = this.tailBytes = 0;
    /** The model's own next token, once it was asked.
     * @type {number | null} */
    this.first = null;
  }

  /** How many more tokens the model's context takes. */
  get room() {
    return this.space - (this.session.ids.length - this.session.prompt);
  }

  get text() {
    return decoded(this.data);
  }

  async nextLogits() {
    const logits = await this.session.nextLogits();
    this.first = argmax(logits);
    return logits;
  }

  /** Token ids of bytes: the model's own tokenisation of what is text, single bytes of what is none.
   * @param {string} data
   * @returns {number[]} */
  idsOf(data) {
    const { tokenizer } = this.model;
    /** @type {number[]} */
    const ids = [];
    let start = 0;
    let at = 0;
    const read = () => { if (at > start) ids.push(...tokenizer.encode(decoded(data.slice(start, at)))); };
    while (at < data.length) {
      UTF8.lastIndex = at;
      const found = UTF8.exec(data);
      if (found) {
        at += found[0].length;
        continue;
      }
      read();
      ids.push(/** @type {number} */ (tokenizer.ids.get(data[at])));
      start = at += 1;
    }
    read();
    return ids;
  }

  /** Adds bytes that were chosen after this model, or others, had been asked: as one token if it is the one that the
   * model itself would have written next, else in the model's own tokenisation of the word that they continue.
   * @param {string} piece */
  take(piece) {
    if (this.first === null || this.model.vocabulary[this.first] !== piece) {
      this.append(piece);
      return;
    }
    this.session.append([this.first]);
    if (/^[ \n]/.test(piece)) [this.tail, this.tailBytes] = [this.session.tokens.length - 1, this.data.length];
    this.data += piece;
    this.first = null;
  }

  /** @param {string} piece */
  append(piece) {
    this.data += piece;
    const fresh = this.idsOf(this.data.slice(this.tailBytes));
    this.hold(this.tail, fresh);
    if (fresh.map((i) => this.model.vocabulary[i]).join("") === this.data.slice(this.tailBytes)) this.settle(fresh);
  }

  /** Makes the tokens from a place on the wanted ones; what is there already is kept.
   * @param {number} start
   * @param {number[]} wanted */
  hold(start, wanted) {
    const held = this.session.tokens.slice(start);
    let same = 0;
    while (same < Math.min(wanted.length, held.length) && wanted[same] === held[same]) same += 1;
    if (same < held.length) this.session.rollback(held.length - same);
    this.session.append(wanted.slice(same));
    this.first = null;
  }

  /** Adds what another model's text has more: in its tokens where both have one vocabulary, else its bytes.
   * @param {Text} other */
  follow(other) {
    if (this.model.card.tokenizer !== other.model.card.tokenizer) {
      this.append(other.data.slice(this.data.length));
      return;
    }
    this.hold(0, other.session.tokens);
    [this.data, this.tail, this.tailBytes] = [other.data, other.tail, other.tailBytes];
  }

  /** Adds one token of the model's own choice, without reading what stands before it again.
   * @param {number} token */
  appendToken(token) {
    this.session.append([token]);
    this.data += this.model.vocabulary[token];
    [this.tail, this.tailBytes, this.first] = [this.session.tokens.length, this.data.length, null];
  }

  /** Takes the last tokens back, those after so many bytes, which must be a place between two tokens.
   * @param {number} size */
  cut(size) {
    const { tokens } = this.session;
    let count = 0;
    for (let left = this.data.length; left > size; count++) left -= this.model.vocabulary[tokens[tokens.length - 1 - count]].length;
    this.session.rollback(count);
    this.data = this.data.slice(0, size);
    [this.tail, this.tailBytes, this.first] = [this.session.tokens.length, size, null];
  }

  /** An independent copy. @returns {Text} */
  fork() {
    return Object.assign(Object.create(Text.prototype), this, { session: this.session.fork() });
  }

  /** Whether the model's context takes the bytes. @param {string} piece */
  fits(piece) {
    return this.idsOf(piece).length <= this.room;
  }

  /** Moves the tail behind the last token boundary that lies before white space.
   * @param {number[]} fresh */
  settle(fresh) {
    let [count, size] = [0, 0];
    let [tail, bytes] = [0, 0];
    for (const token of fresh) {
      count += 1;
      size += this.model.vocabulary[token].length;
      if (count < fresh.length && /[ \n]/.test(this.data[this.tailBytes + size] ?? "")) [tail, bytes] = [count, size];
    }
    [this.tail, this.tailBytes] = [this.tail + tail, this.tailBytes + bytes];
  }
}
