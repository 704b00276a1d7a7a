// Papers that are here already: with one of the identifiers, or with nearly the same title.

/** Share of the words of both titles that they have in common, from which on two papers may be one. */
const ALIKE = 0.75;

export const words = (title) =>
  new Set((title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[\p{L}\p{N}]+/gu)) ?? []);

/** @param known rows of key, title, and identifiers, as the site holds them.
 *  @returns {{key: string, title: string, same: boolean}[]} `same`: an identifier is shared, so it is this paper. */
export function twins(entry, known, own = "") {
  const ids = Object.entries(entry.ids ?? {}).map(([kind, value]) => `${kind}:${String(value).toLowerCase()}`);
  const title = words(entry.title ?? "");
  const found = [];
  for (const [key, theirs, marks] of known) {
    if (key === own) continue;
    const same = marks.some((mark) => ids.includes(mark));
    if (same || alike(title, words(theirs)) >= ALIKE) found.push({ key, title: theirs, same });
  }
  return found.sort((a, b) => b.same - a.same).slice(0, 5);
}

function alike(first, second) {
  if (first.size < 3) return 0;
  let common = 0;
  for (const word of first) common += second.has(word);
  return common / (first.size + second.size - common);
}
