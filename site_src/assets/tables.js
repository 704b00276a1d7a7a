// Tables as text: CSV for spreadsheets, Markdown, LaTeX. A table is its heads and its rows; a cell is a string.

const FORMULA = /^[\p{C}\p{M}\p{Z}]*[=+\-@\u2212＝＋－＠]/u; // a spreadsheet would run it
const flat = (text) => text.replace(/\s+/g, " ").trim();

/** A cell that a spreadsheet would run as a formula gets an apostrophe in front. */
function csvCell(text) {
  const safe = FORMULA.test(text) ? `'${flat(text)}` : flat(text);
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csv = (heads, rows) => `${[heads, ...rows].map((row) => row.map(csvCell).join(",")).join("\n")}\n`;

const markdownCell = (text) => flat(text).replace(/[\\`*_[\]<>|~]/g, "\\$&");

export function markdown(heads, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return `${[line(heads.map(markdownCell)), line(heads.map(() => "---")),
    ...rows.map((row) => line(row.map(markdownCell)))].join("\n")}\n`;
}

const LATEX = {
  "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
  "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", '"': "''",
  "\u2212": "$-$", "\u00b1": "$\\pm$", "\u00d7": "$\\times$", "\u2264": "$\\leq$", "\u2265": "$\\geq$",
  "\u2013": "--", "\u2014": "---",
};

/** Text that LaTeX prints as it stands; hyphens that follow one another stay hyphens. */
export function latexText(text) {
  return flat(text).replace(/-(?=-)|[\\{}~^<>|"\u2212\u00b1\u00d7\u2264\u2265\u2013\u2014#$%&_]/g,
    (char) => LATEX[char] ?? (char === "-" ? "-{}" : `\\${char}`));
}

/**
 * A table for the package booktabs. `first` makes LaTeX of the first cell where that is more than text, as a citation.
 * @param {{heads: string[], rows: string[][], caption: string, label: string, first?: (row: number) => string}} table
 */
export function latex({ heads, rows, caption, label, first }) {
  const width = (0.95 / heads.length).toFixed(3);
  const line = (cells) => `    ${cells.join(" & ")} \\\\`;
  return [
    "% needs \\usepackage{booktabs}, \\usepackage{array}, and UTF-8 (the default of LaTeX since 2018)",
    "\\begin{table*}", "  \\centering\\footnotesize",
    `  \\begin{tabular}{${heads.map(() => `>{\\raggedright\\arraybackslash}p{${width}\\linewidth}`).join("@{\\hspace{4pt}}")}}`,
    "    \\toprule", line(heads.map(latexText)), "    \\midrule",
    ...rows.map((row, place) => line(row.map((cell, column) => (column === 0 && first ? first(place) : latexText(cell))))),
    "    \\bottomrule", "  \\end{tabular}",
    `  \\caption{${latexText(caption)}}`, `  \\label{${label}}`, "\\end{table*}", "",
  ].join("\n");
}

/** Hands a text to the reader as a file. */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
