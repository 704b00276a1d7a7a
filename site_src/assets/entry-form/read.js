// From the form to an entry, and back. Each control says with `data-path` which field it is, and with `data-kind` how
// its text is read: text, number, lines (one value a line), commas (values with commas between), list (a checkbox or a
// menu that adds its value to a list).

/** How identifiers are pasted: as addresses, with prefixes, with a version. */
const SHORT = {
  arxiv: (text) => text.replace(/^(https?:\/\/)?(www\.|export\.)?arxiv\.org\/(abs|pdf|html)\//i, "").replace(/^arxiv:\s*/i, "")
    .replace(/(v\d+)?(\.pdf)?\/?$/, ""),
  doi: (text) => text.replace(/^(https?:\/\/)?(dx\.)?doi\.org\//i, "").replace(/^doi:\s*/i, ""),
  acl: (text) => text.replace(/^(https?:\/\/)?(www\.)?aclanthology\.org\//i, "").replace(/(\.pdf|\.bib)?\/?$/, ""),
  openreview: (text) => text.replace(/^(https?:\/\/)?(www\.)?openreview\.net\/(forum|pdf)\?id=/i, "").replace(/[&#].*$/, ""),
};

const read = {
  text: (control) => control.value.replace(/\s+/g, " ").trim(),
  number: (control) => (control.value.trim() === "" ? "" : Number(control.value)),
  lines: (control) => control.value.split("\n").map((line) => line.trim()).filter(Boolean),
  commas: (control) => control.value.split(",").map((part) => part.trim()).filter(Boolean),
  list: (control) => (control.type === "checkbox" ? control.checked : control.value) ? [control.value] : [],
};

export const controls = (form) => [...form.querySelectorAll("[data-path]")];

/** The entry that the form says, over what `base` holds beside the form's own fields. What is empty is left out. */
export function entryOf(form, base = {}) {
  const entry = structuredClone(base);
  const own = new Map();
  for (const control of controls(form)) {
    const { path, kind } = control.dataset;
    let value = read[kind](control);
    const name = path.split(".").at(-1);
    if (path.startsWith("ids.") && SHORT[name]) value = SHORT[name](value);
    own.set(path, Array.isArray(value) ? [...new Set([...(own.get(path) ?? []), ...value])] : value);
  }
  for (const [path, value] of own) {
    const was = at(base, path);
    // boxes know no order: the same values stay in the order they had
    const same = Array.isArray(was) && was.length === value.length && was.every((one) => value.includes(one.group ?? one));
    put(entry, path.split("."), same && path.startsWith("attributes.") ? was : value);
  }
  return entry;
}

const at = (entry, path) => path.split(".").reduce((found, name) => found?.[name], entry);

function put(entry, [head, ...rest], value) {
  if (rest.length) {
    const inner = { ...entry[head] };
    put(inner, rest, value);
    value = Object.keys(inner).length ? inner : "";
  }
  if (value === "" || value == null || (Array.isArray(value) && !value.length)) delete entry[head];
  else entry[head] = value;
}

/** Fills the form with an entry. */
export function fill(form, entry) {
  const listed = new Map(); // values of lists that menus have taken already
  for (const control of controls(form)) {
    const { path, kind } = control.dataset;
    const value = at(entry, path);
    if (kind !== "list") {
      const join = kind === "lines" ? "\n" : ", ";
      control.value = Array.isArray(value) ? value.map((one) => one.group ?? one).join(join) : (value ?? "");
    } else if (control.type === "checkbox") {
      control.checked = (value ?? []).includes(control.value);
    } else {
      const place = listed.get(path) ?? 0;
      control.value = (value ?? [])[place] ?? "";
      listed.set(path, place + 1);
    }
  }
}
