// Final answers in a form in which equal ones are equal strings, as reference_impls/core/answers gives them, for
// answers in plain forms: numbers, letters of options, yes and no, words. What is written otherwise (units, formulas,
// fractions, sentences around a letter) is compared as written, and the reader is told.

export const KINDS = ["number", "choice", "yes-no", "short", "code", "list", "text"];
export const EXACT = ["short", "choice", "number", "yes-no"];
const NOTHING = ["", "none", "null", "nan", "n/a"];
const LETTER = /^[\s*_`"'>#-]*(?:[([{<]\s*)?([A-Ja-j])\s*[)\]}>.:;,*_`"'!$\s]*$/;
const NUMBER = /^([-+]?)[$€£]?(\d{1,30}|[1-9]\d{0,2}(?:,\d{3})+)?(\.\d{1,30})?\s?%?$/;
/** Characters that the Python reads as others, or that stand in formulas. */
const ODD = /[\\{}]|[^\x00-\x7f\p{L}]|[\uff00-\uffef]|\p{Nd}(?<!\d)/u;
const FORMULA = /[\\^=+*/<>|]/;

/** @typedef {{answer: string | null, plain: boolean}} Read `plain` is false where it is compared as written */

/** @param {string} text */
function normalise(text) {
  const bare = text.toLowerCase().replace(/\s+/g, " ").replace(/^[ .,;:!?"']+|[ .,;:!?"']+$/g, "");
  return bare.replace(/^(?:the|an|a) (?=\S)/, "");
}

/** A plain number by its value; null if it is anything else. @param {string} text */
export function number(text) {
  const found = NUMBER.exec(text.replace(/^[ \t\r\n*_`"'~]+|[ \t\r\n*_`"'~]+$/g, "").replace(/[.,;:!]+$/, ""));
  if (!found || (!found[2] && !found[3])) return null;
  const whole = (found[2] ?? "").replaceAll(",", "").replace(/^0+/, "");
  const fraction = (found[3] ?? "").slice(1).replace(/0+$/, "");
  if (!whole && !fraction) return "0";
  return `${found[1] === "-" ? "-" : ""}${whole || "0"}${fraction ? `.${fraction}` : ""}`;
}

/** An answer that somebody has taken out of a response, or a reference. @param {string} text @param {string} kind
 * @returns {Read} */
export function given(text, kind) {
  const bare = text.trim();
  if (!EXACT.includes(kind)) {
    const lines = bare.split(/\r\n|\r|\n/).map((line) => line.trimEnd()).join("\n");
    return { answer: lines || null, plain: kind !== "code" && !/<\/?think/i.test(bare) };
  }
  if (!bare) return { answer: null, plain: true };
  if ((kind === "number" || kind === "choice") && NOTHING.includes(bare.toLowerCase())) {
    return { answer: null, plain: true };
  }
  if (kind === "choice") {
    const letter = LETTER.exec(text);
    return letter ? { answer: letter[1].toUpperCase(), plain: true } : { ...words(bare), plain: false };
  }
  if (kind === "yes-no") {
    const said = /^(?:(yes|true)|no|false)[.!]?$/i.exec(bare);
    return said ? { answer: said[1] ? "yes" : "no", plain: true } : { ...words(bare), plain: false };
  }
  const value = number(text);
  return value === null ? words(bare) : { answer: value, plain: true };
}

/** @param {string} bare @returns {Read} */
function words(bare) {
  const answer = normalise(bare.replace(/[*_`#>]+/g, "").replace(/^[ $]+|[ $]+$/g, "")) || null;
  return { answer, plain: !ODD.test(bare) && !/\d/.test(bare) && !FORMULA.test(bare.replace(/^[*_`]+|[*_`.]+$/g, "")) };
}

/** How answers to a question are read, by its right answer. @param {string} reference */
export function kindOf(reference) {
  const bare = reference.trim();
  if (number(bare) !== null) return "number";
  if (/^[A-J]$/.test(bare.replace(/^[()[\]. *]+|[()[\]. *]+$/g, "").toUpperCase())) return "choice";
  if (["yes", "no", "true", "false"].includes(bare.toLowerCase().replace(/^[. ]+|[. ]+$/g, ""))) return "yes-no";
  return bare && bare.length <= 60 && !bare.includes("\n") ? "short" : "text";
}
