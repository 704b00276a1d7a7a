/** What both searches take for the same word; scripts/render/knowledge/shards.py cuts the papers' words alike. The
 * header's search worker gets this file without the word `export`. */

/** Letters that have a plain form, but no accent that Unicode could take off. */
const PLAIN = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i", ħ: "h" };

/** Lower case without accents, so that "Schutze" finds "Schütze". */
export function fold(word) {
  // Most words are plain ASCII and need no Unicode work.
  if (/^[\x00-\x7f]*$/.test(word)) return word.toLowerCase();
  const plain = word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replace(/[ßæœøłđðþıħ]/g, (letter) => PLAIN[letter]);
}

/** Chinese has no blanks between words: each two neighbouring signs count as one. "级联路由" is 级联, 联路, 路由. */
export function pairs(word) {
  if (!/\p{sc=Han}/u.test(word)) return [word];
  return word.split(/(\p{sc=Han}+)/u).flatMap((part) => {
    const signs = [...part];
    if (!/^\p{sc=Han}/u.test(part) || signs.length < 3) return part ? [part] : [];
    return signs.slice(1).map((sign, place) => signs[place] + sign);
  });
}

/** Splits at what stands between words, so that the words that were found can be marked. */
export const pieces = (text) => text.split(/([\n\r\p{Z}\p{P}]+)/u);

/** The folded words of a text, in order. */
export const cutWords = (text) => pieces(text).filter((piece) => /[\p{L}\p{N}]/u.test(piece)).flatMap((piece) => pairs(fold(piece)));

const ARXIV = String.raw`(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?\/\d{7})(?:v\d+)?(?:\.pdf)?`;
// what may stand in the address of a paper, the surest first: a DOI, arXiv's identifier, OpenReview's, the last piece
const IN_ADDRESS = [/\b(10\.\d{4,9}\/[^\s?#]+)/, new RegExp(String.raw`\/${ARXIV}(?:[/?#]|$)`, "i"),
  /[?&]id=([\w-]+)/, /([^/?#]+?)(?:\.pdf|\.html)?\/*(?:[?#].*)?$/];

/** An address or a prefixed identifier as the identifier alone; any other text as it is. */
export function bareIdentifier(query) {
  let bare = query.trim().replace(/^(?:arxiv|doi):\s*/i, "");
  if (/^(?:https?:\/\/|[\w.-]+\.(?:org|net|com)\/)\S+$/i.test(bare)) {
    try {
      bare = decodeURIComponent(bare);
    } catch {
      // a lone % sign: the address as it is
    }
    bare = IN_ADDRESS.map((form) => form.exec(bare)?.[1]).find(Boolean) ?? bare;
  }
  return bare.replace(/^10\.48550\/arxiv\./i, "").replace(new RegExp(`^${ARXIV}$`, "i"), "$1");
}
