// An entry as its file: YAML, its name and its folder. `atlas fmt` brings the text into canonical form.

import { dump } from "../vendor/js-yaml.js";

const ORDER = [
  "title", "name", "authors", "authors_complete", "date", "venue", "ids", "links", "kind", "categories", "family",
  "attributes", "survey", "summary", "notes", "relations", "checked",
];
const STOP = new Set("a an the on of for to in with and is are how when what can do does towards toward via".split(" "));

export function yaml(entry) {
  const sorted = Object.fromEntries(ORDER.filter((name) => name in entry).map((name) => [name, entry[name]]));
  return dump(sorted, { lineWidth: 110, noRefs: true });
}

const plain = (text) => text.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]/g, "");

/** Family name, year, short name or the title's first telling word; a letter where the name is taken. */
export function keyOf(entry, taken) {
  const author = entry.authors?.[0] ?? "anon";
  const family = plain(String(author).split(" ").at(-1)).replace(/[^a-z]/g, "") || "anon";
  const telling = (entry.title ?? "").split(/[\s/:–—-]+/).map(plain).find((word) => word && !STOP.has(word)) ?? "";
  const base = `${family}${(entry.date ?? "").slice(0, 4)}${(plain(entry.name ?? "") || telling).slice(0, 40)}`;
  for (const letter of ["", ..."bcdefghijklmnopqrstuvwxyz"]) if (!taken.has(base + letter)) return base + letter;
  return base;
}

/** The fields that differ, each as "field: old → new". */
export function changes(before, after, prefix = "") {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    const nested = [old, now].every((one) => one === undefined || (typeof one === "object" && !Array.isArray(one)));
    if (nested && (old || now)) return changes(old ?? {}, now ?? {}, `${prefix}${name}.`);
    return [`${prefix}${name}: ${shown(old)} → ${shown(now)}`];
  });
}

const shown = (value) => (value === undefined ? "nothing" : Array.isArray(value) ? value.map((one) => one.group ?? one).join(", ") : String(value));
