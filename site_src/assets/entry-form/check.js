// What is wrong with an entry, as far as a page can tell: its schema, and the rules whose limits the page is given.
// `atlas validate` checks the rest.

import { Validator } from "../vendor/json-schema.js";

const OUTER = new Set(["properties", "items", "$ref", "anyOf", "additionalProperties"]);

/** @returns {{path: string, message: string, must: boolean}[]} `must`: an error, not only advice. */
export function problems(entry, { schema, limits, families }, today = new Date().toISOString().slice(0, 10)) {
  const found = [...ofSchema(entry, schema)];
  const say = (path, message, must = true) => found.push({ path, message, must });
  if (entry.title?.endsWith(".")) say("title", "A title ends without a full stop.");
  if (!entry.authors) say("authors", "Unknown authors are left out; if you know them, name all, in order.", false);
  if (!entry.date) say("date", "The key of an entry needs the year of the first public version.");
  else if (!real(entry.date)) say("date", "There is no such day.");
  else if (entry.date > today.slice(0, entry.date.length)) say("date", "This day is still to come.");
  if (!entry.ids && !entry.links?.page) say("ids.arxiv", "Give one identifier or the paper's own page.");
  const month = /^(\d\d)(\d\d)\./.exec(entry.ids?.arxiv ?? "");
  if (month && entry.date && !`20${month[1]}-${month[2]}`.startsWith(entry.date.slice(0, 7))) {
    say("date", `The arXiv identifier is of 20${month[1]}-${month[2]}; give the day of the first version.`, false);
  }
  const category = entry.categories?.[0];
  if (entry.family && category && !families[category]?.some((one) => one.id === entry.family)) {
    say("family", "This family is of another category.");
  }
  for (const address of [...(entry.links?.code ?? []), entry.links?.page].filter(Boolean)) {
    if (!/^https?:\/\/[^\s/]+\.[^\s/]+/.test(address)) say("links.code", `“${address}” is no address; begin with https://.`);
  }
  const length = entry.summary?.length ?? 0;
  const [least, most] = limits.characters;
  if (!length) say("summary", "An entry needs a summary in your own words.", false);
  else if (length < least || length > most) say("summary", `${length} characters; ${least} to ${most} serve a reader.`);
  return found;
}

/** What the schema says, one message a field, in the words of the field's own description. */
function* ofSchema(entry, schema) {
  const told = new Set();
  for (const error of new Validator(schema, "2020-12", false).validate(entry).errors) {
    if (OUTER.has(error.keyword)) continue;
    const missing = error.keyword === "required" ? /"([^"]+)"/.exec(error.error)?.[1] : null;
    const parts = error.instanceLocation.split("/").slice(1).map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
    if (missing) parts.push(missing);
    const path = parts.filter((part) => !/^\d+$/.test(part)).join(".");
    if (told.has(path)) continue;
    told.add(path);
    const form = described(schema, parts);
    yield { path, message: missing ? "This is missing." : `Not in the right form. ${form}`.trim(), must: true };
  }
}

function described(schema, parts) {
  let node = schema;
  let words = "";
  for (const part of parts) {
    if (node?.$ref) node = schema.$defs[node.$ref.split("/").at(-1)];
    if (node?.anyOf) node = node.anyOf.map((one) => (one.$ref ? schema.$defs[one.$ref.split("/").at(-1)] : one)).find((one) => one.properties) ?? node;
    node = node?.properties?.[part] ?? node?.items;
    words = node?.description ?? words;
  }
  return words;
}

function real(date) {
  const [year, month = 1, day = 1] = date.split("-").map(Number);
  const made = new Date(Date.UTC(year, month - 1, day));
  return made.getUTCMonth() === month - 1 && made.getUTCDate() === day;
}
