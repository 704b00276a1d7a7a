// The final answer in a response, read as reference_impls/core/answers reads what the built-in models write. Their
// responses hold no box, no LaTeX and no "the answer is": those forms are left out here. How often both readers lead to
// the same choice is among what tests/bench_play.py measures.

const NUMBER = /(?<sign>-)?(?<![A-Za-z_^.\d])(?<digits>\.?\d+(?:[.,]\d+)*)(?:(?<chain>(?:[-/–]\d+){2,})|\s?\/\s?(?<below>\d+)(?!\/))?/g;

/** @param {string} text
 * @param {string} kind how the answer stands in a response
 * @param {string[]} options texts of the options of a choice
 * @returns {string | null} null: there is none */
export function answerOf(text, kind, options = []) {
  if (!text.trim()) return null;
  if (kind === "number") return amount(text);
  if (kind === "choice") return choice(text, options);
  if (kind === "short") return short(text);
  return text.trim().split("\n").map((line) => line.trimEnd()).join("\n") || null;
}

/** The last number.
 * @param {string} text */
function amount(text) {
  const range = /^\s*(\d+)\s?-\s?(\d+)\s*$/.exec(text);
  if (range) return `${range[1]}-${range[2]}`;
  const found = [...text.matchAll(NUMBER)].at(-1);
  return found ? value(found) : null;
}

/** A number in canonical form.
 * @param {RegExpMatchArray} found */
function value(found) {
  const { sign, digits, chain, below } = /** @type {Record<string, string>} */ (found.groups);
  // A dash behind a word, a number or a bracket is no sign.
  const minus = sign && !/[\p{L}\p{N})\]}%'"]/u.test((found.input ?? "")[(found.index ?? 0) - 1] ?? "") ? "-" : "";
  if (chain) return minus + (digits + chain).replaceAll("–", "-"); // a date, or a sum that was cut: it has no value
  if (below) return `${minus}${plain(digits)}/${plain(below)}`;
  const bare = plain(digits);
  return bare === "0" ? bare : minus + bare;
}

/** Digits without what says nothing. @param {string} digits */
function plain(digits) {
  const [whole, fraction = ""] = digits.replace(/^([1-9]\d{0,2}(?:,\d{3})+)/, (part) => part.replaceAll(",", "")).split(".");
  const rest = fraction.replace(/0+$/, "");
  return (whole.replace(/^0+(?=\d)/, "") || "0") + (rest ? `.${rest}` : "");
}

/** The letter of an option, also where its text is given. @param {string} text @param {string[]} options */
function choice(text, options) {
  const letter = [...text.matchAll(/\(\s?([A-Ja-j])\s?\)/g)].at(-1);
  if (letter) return letter[1].toUpperCase();
  const said = normalised(lastLine(text));
  const at = options.findIndex((option) => normalised(option) === said);
  return at >= 0 ? "ABCDEFGHIJ"[at] : null;
}

/** The last line, a letter in brackets or words. @param {string} text */
function short(text) {
  const line = lastLine(text);
  const letter = /\(([a-d])\)/.exec(line);
  if (letter) return letter[1];
  return normalised(line) || null;
}

/** @param {string} text */
const lastLine = (text) => text.trimEnd().split("\n").at(-1)?.trim() ?? "";

/** Lower case, without an article and the marks at the ends. @param {string} text */
function normalised(text) {
  const bare = text.toLowerCase().replace(/\s+/g, " ").replace(/^[ .,;:!?"']+|[ .,;:!?"']+$/g, "");
  return bare.replace(/^(?:the|an|a) (?=\S)/, "");
}
