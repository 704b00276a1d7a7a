// How far texts agree by the stems of their words: Porter's rules (M. F. Porter, An algorithm for suffix stripping,
// Program 14(3), 1980), as reference_impls/core/stemming.py.

/** @type {Record<string, string>} */
const DOUBLE = {
  ational: "ate", tional: "tion", enci: "ence", anci: "ance", izer: "ize", abli: "able", alli: "al", entli: "ent",
  eli: "e", ousli: "ous", ization: "ize", ation: "ate", ator: "ate", alism: "al", iveness: "ive", fulness: "ful",
  ousness: "ous", aliti: "al", iviti: "ive", biliti: "ble",
};
/** @type {Record<string, string>} */
const SINGLE = { icate: "ic", ative: "", alize: "al", iciti: "ic", ical: "ic", ful: "", ness: "" };
const LAST = ("al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize").split(" ");
const ARTICLES = ["a", "an", "the"];

/** The word as consonants and vowels, c and v. @param {string} word */
function form(word) {
  let made = "";
  for (let i = 0; i < word.length; i++) {
    made += "aeiou".includes(word[i]) || (word[i] === "y" && i > 0 && made[i - 1] === "c") ? "v" : "c";
  }
  return made;
}

/** How often vowels are followed by consonants. @param {string} word */
const measure = (word) => form(word).split("vc").length - 1;

/** @param {string} word */
const short = (word) => form(word).endsWith("cvc") && !"wxy".includes(word[word.length - 1]);

/** @param {string} word */
function past(word) {
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = ["ed", "ing"].find((end) => word.endsWith(end));
  const rest = suffix ? word.slice(0, -suffix.length) : word;
  if (!suffix || !form(rest).includes("v")) return word;
  if (/(?:at|bl|iz)$/.test(rest)) return `${rest}e`;
  const [end, before] = [rest[rest.length - 1], rest[rest.length - 2]];
  if (end === before && form(rest).endsWith("c") && !"lsz".includes(end)) return rest.slice(0, -1);
  return measure(rest) === 1 && short(rest) ? `${rest}e` : rest;
}

/** @param {string} word @param {string[]} suffixes */
const longest = (word, suffixes) => suffixes.reduce((best, end) =>
  (word.endsWith(end) && end.length > best.length ? end : best), "");

/** @param {string} word @param {Record<string, string>} table */
function replaced(word, table) {
  const found = longest(word, Object.keys(table));
  const rest = found ? word.slice(0, -found.length) : word;
  return found && measure(rest) > 0 ? rest + table[found] : word;
}

/** The stem of a lower-case English word. @param {string} word */
export function stem(word) {
  if (word.length < 3 || !/^[a-zA-Z]+$/.test(word)) return word;
  word = word.endsWith("sses") || word.endsWith("ies") ? word.slice(0, -2)
    : word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
  word = past(word);
  if (word.endsWith("y") && form(word.slice(0, -1)).includes("v")) word = `${word.slice(0, -1)}i`;
  word = replaced(replaced(word, DOUBLE), SINGLE);
  const suffix = longest(word, LAST);
  const rest = suffix ? word.slice(0, -suffix.length) : word;
  if (suffix && measure(rest) > 1 && (suffix !== "ion" || /[st]$/.test(rest))) word = rest;
  if (word.endsWith("e")) {
    const before = word.slice(0, -1);
    const m = measure(before);
    if (m > 1 || (m === 1 && !short(before))) word = before;
  }
  return word.endsWith("ll") && measure(word) > 1 ? word.slice(0, -1) : word;
}

/** Runs of Latin letters and digits; Chinese characters and kana one by one; runs of letters of every other script. */
const WORDS = new RegExp("[a-z0-9]+|[\\u3040-\\u30ff\\u3400-\\u9fff\\uf900-\\ufaff]"
  + "|(?:(?![\\u0000-\\u024f\\u1e00-\\u1eff\\u3040-\\u30ff\\u3400-\\u9fff\\uf900-\\ufaff])[\\p{L}\\p{Nl}\\p{No}])+", "gu");

/** @param {string} text */
export const words = (text) => text.toLowerCase().match(WORDS) ?? [];

/** @type {Map<string, Set<string>>} */
const known = new Map();

/** @param {string | null} answer */
function stems(answer) {
  const text = answer ?? "";
  let found = known.get(text);
  if (!found) {
    found = new Set(words(text).map(stem));
    for (const article of ARTICLES) found.delete(article);
    if (known.size > 10_000) known.clear();
    known.set(text, found);
  }
  return found;
}

/** The mean share of stems that every two answers have in common; 1 for a single answer.
 * @param {readonly (string | null)[]} answers */
export function textAgreement(answers) {
  const sets = answers.map(stems);
  let [total, pairs] = [0, 0];
  for (let a = 0; a < sets.length; a++) {
    for (let b = a + 1; b < sets.length; b++) {
      let both = 0;
      for (const one of sets[a]) if (sets[b].has(one)) both++;
      total += both / Math.max(sets[a].size + sets[b].size - both, 1);
      pairs++;
    }
  }
  return pairs ? total / pairs : Number(answers[0] !== null);
}
