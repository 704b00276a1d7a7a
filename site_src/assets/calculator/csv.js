// CSV, strictly: quotes that do not fit end the reading with a word, and every other wrong row costs itself only. As
// reference_impls/importing/files.py. Cells are text and stay text: nothing in them is run or becomes markup.

/** @typedef {{line: number, what: string, mend: string}} Fault
 * @typedef {{line: number, cells: string[]}} Line */

export const MAX_CELL = 16 * 1024 * 1024;
const MAX_COLUMNS = 4096;
const [QUOTE, LF, CR] = [34, 10, 13];

/** A value for a message: in quotes, short, on one line. @param {string} value */
export function shown(value) {
  const text = JSON.stringify(value.slice(0, 60)).slice(1, -1).replaceAll('\\"', '"');
  return text.length <= 39 ? `'${text}'` : `'${text.slice(0, 39)}…`;
}

/** The text of a file: a file that is not UTF-8 as far as it can be read, with U+FFFD for what cannot.
 * @param {ArrayBuffer | Uint8Array} bytes */
export function decoded(bytes) {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), whole: true };
  } catch {
    return { text: new TextDecoder("utf-8").decode(bytes), whole: false };
  }
}

/** The separator that the first line has most of. @param {string} text */
function separatorOf(text) {
  const end = text.search(/[\r\n]/);
  const head = end < 0 ? text : text.slice(0, end);
  const count = (/** @type {string} */ mark) => head.split(mark).length;
  return [",", ";", "\t"].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/** The records of a text with the lines at which they begin; after a fault of the quotes there are none.
 * @param {string} text @returns {Generator<Line | Fault>} */
function* records(text) {
  const separator = separatorOf(text).charCodeAt(0);
  const length = text.length;
  let [at, line] = [0, 1];
  while (at < length) {
    const begun = line;
    /** @type {string[]} */
    const cells = [];
    /** @type {string | null} */
    let wrong = null;
    for (let more = true; more;) {
      let cell = "";
      if (text.charCodeAt(at) === QUOTE) {
        at++;
        for (;;) {
          const end = text.indexOf('"', at);
          if (end < 0) {
            wrong = "unexpected end of data";
            break;
          }
          const part = text.slice(at, end);
          cell += part;
          line += breaks(part);
          at = end + 1;
          if (text.charCodeAt(at) !== QUOTE) break;
          cell += '"';
          at++;
        }
      } else {
        const from = at;
        for (let code = text.charCodeAt(at); at < length && code !== separator && code !== LF && code !== CR;) {
          code = text.charCodeAt(++at);
        }
        cell = text.slice(from, at);
      }
      if (!wrong && cell.length > MAX_CELL) wrong = `field larger than field limit (${MAX_CELL})`;
      if (wrong) break;
      cells.push(cell);
      const code = text.charCodeAt(at);
      if (at >= length) more = false;
      else if (code === separator) at++;
      else if (code === LF || code === CR) {
        at += code === CR && text.charCodeAt(at + 1) === LF ? 2 : 1;
        line++;
        more = false;
      } else {
        wrong = `'${String.fromCharCode(separator)}' expected after '"'`;
        break;
      }
    }
    if (wrong) {
      yield { line: begun, what: `not valid CSV: ${wrong}; the rest of the file is not read`, mend: "mend the quotes" };
      return;
    }
    yield { line: begun, cells };
  }
}

/** @param {string} text */
function breaks(text) {
  if (!text.includes("\n") && !text.includes("\r")) return 0;
  return /** @type {RegExpMatchArray} */ (text.match(/\r\n|\r|\n/g)).length;
}

/** The header and then the rows of a table; a row is given only if it has the header's number of cells.
 * @param {string} text @param {boolean} whole whether all of it could be decoded
 * @returns {Generator<Line | Fault>} */
export function* rows(text, whole = true) {
  /** @type {string[] | null} */
  let names = null;
  for (const record of records(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)) {
    if (!("cells" in record)) {
      yield record;
      return;
    }
    const { line, cells } = record;
    if (!cells.some((cell) => cell.trim())) continue;
    if (!whole && cells.some((cell) => cell.includes("\ufffd"))) {
      yield { line, what: "holds bytes that are not UTF-8", mend: "save the file as UTF-8" };
      if (!names) return;
    } else if (!names) {
      names = cells.map((cell) => cell.trim());
      const seen = new Set();
      const twice = names.find((name) => name && (seen.has(name) || !seen.add(name)));
      if (names.length > MAX_COLUMNS || twice !== undefined) {
        const what = twice === undefined ? `more than ${MAX_COLUMNS} columns` : `the column ${shown(twice)} stands twice`;
        yield { line, what, mend: "correct the header" };
        return;
      }
      yield { line, cells: names };
    } else if (cells.length !== names.length) {
      const what = `${cells.length} cells where the header names ${names.length}`;
      yield { line, what, mend: "put texts with separators in quotes" };
    } else yield record;
  }
  if (!names) yield { line: 1, what: "holds no header", mend: "the first line names the columns" };
}
