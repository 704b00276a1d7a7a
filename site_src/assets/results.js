// Makes tables sortable by their heads. Without this file they stand in their first order.

const PARTS = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** What a cell sorts by: its value where it has one, else its text; an empty cell sorts last either way. */
function key(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  return cell.classList.contains("atlas-none") ? null : cell.textContent.trim();
}

function sort(table, column, descending) {
  const [body] = table.tBodies;
  const rows = [...body.rows].map((row) => ({ row, value: key(row, column) }));
  rows.sort((a, b) => {
    if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
    const order = typeof a.value === "number" && typeof b.value === "number"
      ? a.value - b.value : PARTS.compare(a.value, b.value);
    return descending ? -order : order;
  });
  body.append(...rows.map(({ row }) => row));
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    // A link in the head stays a link; the button beside it sorts.
    const link = head.querySelector("a");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "atlas-sort";
    if (link) button.setAttribute("aria-label", `Sort by ${link.textContent}`);
    else button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      // Numbers are first sorted with the largest on top, names from A to Z.
      const numbers = [...table.tBodies[0].rows].some((row) => row.cells[column].dataset.value !== undefined);
      const descending = before ? before === "ascending" : numbers;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sort(table, column, descending);
    });
  });
}
