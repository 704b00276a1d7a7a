// The built-in models' tokenizers, as reference_impls/models/tokenizers.py has them.

import { decoded, encoded } from "./bytes.js";

/** Token 0 of every vocabulary. */
export const END = 0;

// What Python calls white space; \s of JavaScript is another set.
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const DIGIT = "\\p{Nd}";
const SPLITTERS = {
  bytes: ".",
  leading: ` ?[A-Za-z]+|${DIGIT}| ?[^${BLANK}A-Za-z${DIGIT}]+|\\n {4}|[${BLANK}]`,
  trailing: `[A-Za-z]+ ?|${DIGIT}|\\n {4}|[^A-Za-z${DIGIT}]`,
};

export class Tokenizer {
  /** @param {{style: "bytes" | "leading" | "trailing", merges: [string, string][]}} file pairs of byte strings, the most
   *   frequent first */
  constructor({ style, merges }) {
    this.pattern = new RegExp(SPLITTERS[style], "gsu");
    this.ranks = new Map(merges.map(([a, b], rank) => [`${a.length}:${a}${b}`, rank]));
    /** @type {string[]} byte strings */
    this.vocabulary = ["", ...Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)), ...merges.map(([a, b]) => a + b)];
    this.ids = new Map(this.vocabulary.map((token, i) => [token, i]));
    /** @type {Map<string, number[]>} */
    this.known = new Map();
  }

  /** Token ids of a text.
   * @param {string} text
   * @returns {number[]} */
  encode(text) {
    return (text.match(this.pattern) ?? []).flatMap((piece) => this.piece(piece));
  }

  /** The text of token ids.
   * @param {number[]} ids
   * @returns {string} */
  decode(ids) {
    return decoded(ids.map((i) => this.vocabulary[i]).join(""));
  }

  /** @param {string} text */
  piece(text) {
    let ids = this.known.get(text);
    if (!ids) {
      ids = this.merged(encoded(text)).map((part) => /** @type {number} */ (this.ids.get(part)));
      this.known.set(text, ids);
    }
    return ids;
  }

  /** The parts of a piece after all merges, the most frequent pair first.
   * @param {string} data */
  merged(data) {
    const parts = [...data];
    while (parts.length > 1) {
      let best = Infinity;
      let at = -1;
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = this.ranks.get(`${parts[i].length}:${parts[i]}${parts[i + 1]}`) ?? Infinity;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at < 0) break;
      parts.splice(at, 2, parts[at] + parts[at + 1]);
    }
    return parts;
  }
}
