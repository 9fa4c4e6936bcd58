// Tables: a click on a heading sorts, words filter, and what is shown can be had as a file.
const find = (selector, within = document) => [...within.querySelectorAll(selector)];
const collator = new Intl.Collator("en", { numeric: true });

/** The exact value of a cell; empty if there is none. */
function exact(cell) {
  return cell.dataset.sort ?? cell.textContent;
}

function sortedRows(rows, index, sign) {
  const compare = (a, b) => {
    const [x, y] = [exact(a.cells[index]), exact(b.cells[index])];
    if (x === "" || y === "") return (x === "") - (y === "");
    const difference = Number(x) - Number(y);
    return sign * (Number.isNaN(difference) ? collator.compare(x, y) : difference);
  };
  return [...rows].sort(compare);
}

function sortBy(heading) {
  const table = heading.closest("table");
  const numeric = heading.classList.contains("right");
  const up = heading.ariaSort ? heading.ariaSort === "descending" : !numeric;
  find("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  body.append(...sortedRows(body.rows, heading.cellIndex, up ? 1 : -1));
}

/** An element with properties and children; text never becomes markup. */
function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Leaves a file with the reader: rows of texts and numbers as comma-separated values. */
function download(name, rows) {
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const text = rows.map((row) => row.map((value) => quoted(String(value))).join(",")).join("\n");
  const address = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv" }));
  make("a", { href: address, download: `${name.replace(/[^\w.-]+/g, "_")}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function tableRows(table) {
  const shown = [...table.rows].filter((row) => !row.hidden);
  return shown.map((row) => [...row.cells].filter((cell) => !cell.hidden).map(exact));
}

/** Puts a button into the caption of a table. */
function addCsv(table) {
  const name = table.caption.textContent;
  const button = make("button", { type: "button", textContent: "CSV", ariaLabel: `CSV of ${name}` });
  button.addEventListener("click", () => download(name, tableRows(table)));
  table.caption.append(button);
}

/** Puts a box before a table that keeps the rows with all of its words. */
function addFilter(region) {
  const box = make("input", { type: "search" });
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    for (const row of region.querySelector("tbody").rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  region.before(make("label", { className: "filter" }, "Show rows with ", box));
}

for (const button of find("table.sortable thead button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}
find("table[data-csv]").forEach(addCsv);
find("[data-filter]").forEach(addFilter);
