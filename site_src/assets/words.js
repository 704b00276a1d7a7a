/** What both searches take for the same word. The header's search worker gets this file without the word `export`. */

/** Letters that have a plain form, but no accent that Unicode could take off. */
const PLAIN = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i", ħ: "h" };

/** Lower case without accents, so that "Schutze" finds "Schütze". */
export function fold(word) {
  // Most words are plain ASCII and need no Unicode work.
  if (/^[\x00-\x7f]*$/.test(word)) return word.toLowerCase();
  const plain = word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replace(/[ßæœøłđðþıħ]/g, (letter) => PLAIN[letter]);
}

/** An address or a prefixed identifier as the identifier alone; any other text as it is. */
export function bareIdentifier(query) {
  let bare = query.trim();
  if (/^https?:\/\/\S*%[0-9a-f]{2}/i.test(bare)) {
    try {
      bare = decodeURIComponent(bare);
    } catch {
      // a lone % sign: the address as it is
    }
  }
  bare = bare.replace(/^(?:https?:\/\/)?(?:www\.|dx\.)?(?:arxiv\.org\/[a-z]+|doi\.org|aclanthology\.org|openreview\.net\/[a-z]+\?id=)\/*/i, "");
  bare = bare.replace(/^(?:arxiv|doi):\s*/i, "");
  return bare.replace(/^(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?\/\d{7})(?:v\d+)?(?:\.pdf)?$/i, "$1");
}
