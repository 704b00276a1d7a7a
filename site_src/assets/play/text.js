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
    const held = this.session.tokens.slice(this.tail);
    let same = 0;
    while (same < Math.min(fresh.length, held.length) && fresh[same] === held[same]) same += 1;
    if (same < held.length) this.session.rollback(held.length - same);
    this.session.append(fresh.slice(same));
    this.first = null;
    if (fresh.map((i) => this.model.vocabulary[i]).join("") === this.data.slice(this.tailBytes)) this.settle(fresh);
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
