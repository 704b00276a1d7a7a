// The page that helps to write an entry, or to correct one (?paper=KEY): what is written is checked while it is
// written, and handed over as YAML, as an issue or as a mail. Nothing is sent by the page itself.

import { el, fetchJson } from "./dom.js";
import { problems } from "./entry-form/check.js";
import { controls, entryOf, fill } from "./entry-form/read.js";
import { twins } from "./entry-form/twins.js";
import { changes, keyOf, yaml } from "./entry-form/write.js";

const form = document.getElementById("atlas-entry");
const { root, data, repository, mail } = form.dataset;
const out = Object.fromEntries(["file", "yaml", "state", "twins", "issue", "mail"].map((name) => [name, document.getElementById(`atlas-entry-${name}`)]));
/** Longer addresses are cut by some browsers and mail programs. */
const LONGEST = 6000;

let given = null; // the entry to correct
let key = "";
const touched = new Set();

const wanted = new URLSearchParams(location.search).get("paper") ?? "";
form.inert = Boolean(wanted); // until the entry is there: what is written before would be lost
const rules = await fetchJson(data).catch(() => null);
if (rules) await start();
else out.state.textContent = "The rules could not be loaded. Load the page again, or write the entry by hand as shown on the page “Contribute”.";

async function start() {
  if (rules.known.some(([one]) => one === wanted)) {
    const { key: own, url, verified, authors_complete: complete, ...entry } = await fetchJson(`${root}api/v1/papers/${encodeURIComponent(wanted)}.json`);
    [given, key] = [{ ...bare(entry), ...(complete === false && { authors_complete: false }) }, own];
    document.querySelector(".md-content h1").textContent = `Correct “${entry.title}”`;
  }
  const category = form.querySelector('[data-path="categories"]');
  const offer = () => families(rules.families[category.value] ?? []);
  category.addEventListener("change", offer);
  if (given) {
    category.value = given.categories[0];
    offer();
    fill(form, given);
  } else offer();
  form.inert = false;
  for (const kind of ["input", "change"]) {
    form.addEventListener(kind, (event) => {
      touched.add(event.target.dataset.path);
      show();
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    for (const control of controls(form)) touched.add(control.dataset.path);
    show();
    form.querySelector('[aria-invalid="true"]')?.focus();
  });
  show();
}

/** Without what the API says of every field that is empty. */
function bare(value) {
  if (Array.isArray(value)) return value.length ? value.map(bare) : undefined;
  if (value === null || typeof value !== "object") return value ?? undefined;
  const kept = Object.entries(value).map(([name, one]) => [name, bare(one)]).filter(([, one]) => one !== undefined);
  return kept.length ? Object.fromEntries(kept) : undefined;
}

function families(offered) {
  const menu = form.querySelector('[data-path="family"]');
  const was = menu.value;
  menu.replaceChildren(el("option", { value: "" }, "Not known"), ...offered.map((one) => el("option", { value: one.id }, one.name)));
  menu.value = offered.some((one) => one.id === was) ? was : "";
}

function show() {
  const entry = entryOf(form, given ?? {});
  if (entry.checked && touched.has("checked.against")) entry.checked.date = new Date().toISOString().slice(0, 10);
  const found = problems(entry, rules);
  for (const control of controls(form)) {
    const { path } = control.dataset;
    const mine = touched.has(path) ? found.filter((one) => one.path === path) : [];
    const place = document.getElementById(control.getAttribute("aria-describedby")?.split(" ").at(-1));
    if (place) place.textContent = mine.map((one) => one.message).join(" ");
    if (mine.some((one) => one.must)) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
  const alike = twins(entry, rules.known, key);
  out.twins.replaceChildren(...alike.map((one) =>
    el("li", {}, one.same ? "Here already: " : "Is it this one? ", el("a", { href: `${root}papers/${one.key}/` }, one.title))));
  out.twins.parentElement.hidden = !alike.length;
  const name = key || keyOf(entry, new Set(rules.known.map(([one]) => one)));
  const text = yaml(entry);
  out.file.textContent = entry.date ? `papers/${name.match(/\d{4}/)[0]}/${name}.yml` : "papers/YEAR/KEY.yml";
  const changed = given && changes(given, entry);
  out.yaml.textContent = changed ? changed.join("\n") || "Nothing is changed yet." : text;
  const errors = found.filter((one) => one.must);
  const there = alike.some((one) => one.same);
  out.state.textContent = there ? "This paper is here already: correct it on its page."
    : errors.length ? `${errors.length === 1 ? "One thing is" : `${errors.length} things are`} still to mend: ${[...new Set(errors.map((one) => label(one.path)))].join(", ")}.`
    : changed && !changed.length ? "Change what is wrong; what changes is listed here."
    : "Complete. Hand it over by one of the ways below.";
  out.state.dataset.ready = String(!there && !errors.length);
  hand(entry, name, changed ? changed.join("\n") : text);
}

function label(path) {
  const control = form.querySelector(`[data-path="${CSS.escape(path)}"]`);
  return control?.closest("label")?.querySelector("b")?.textContent ?? path;
}

/** The addresses of the two ways that leave the page; both only open something that the reader then sends. */
function hand(entry, name, said) {
  if (out.issue) {
    const query = new URLSearchParams(given
      ? { template: "correct-entry.yml", title: `Correct ${name}`, key: name, correction: said, source: entry.checked?.against?.[0] ?? "" }
      : { title: `Add ${entry.title ?? "a paper"}`, body: `\`${out.file.textContent}\`\n\n\`\`\`yaml\n${said}\`\`\`\n` });
    out.issue.href = cut(`${repository}/issues/new?`, query, given ? "correction" : "body");
  }
  if (out.mail) {
    const subject = given ? `Correct ${name}` : `Add ${entry.title ?? "a paper"}`;
    out.mail.href = `mailto:${mail}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(`${out.file.textContent}\n\n${said}`.slice(0, LONGEST / 3))}`;
  }
}

function cut(address, query, long) {
  if (String(query).length > LONGEST) query.set(long, "Too long for an address: please paste what the page shows.");
  return address + query;
}
