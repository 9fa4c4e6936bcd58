// One architecture: its accuracy, and every proxy's score, rank and percentile in a column.

/** Rank from the top, and the share of the column that lies below, ties counting half. */
function standing(values, i) {
  const ranks = averageRanks(values);
  const n = ranks.filter((rank) => !Number.isNaN(rank)).length;
  return { rank: n + 1 - ranks[i], percentile: (100 * (ranks[i] - 0.5)) / n, n };
}

/** A cell of a number: what is read, and what is sorted and saved; a dash for NaN. */
function numberCell(value, text) {
  const missing = Number.isNaN(value);
  const cell = make("td", { className: "right", textContent: missing ? "–" : text });
  cell.dataset.sort = missing ? "" : value;
  return cell;
}

function standingRow(name, value, values, i, why = "") {
  const { rank, percentile, n } = standing(values, i);
  return make(
    "tr",
    {},
    make("th", { scope: "row", textContent: name }),
    value === null ? make("td", { textContent: why }) : numberCell(value, readable(value)),
    numberCell(rank, `${rank} of ${n}`),
    numberCell(percentile, `${percentile.toFixed(1)} %`),
  );
}

function standingTable(key, rows) {
  const names = ["", "value", "rank, 1 is the highest", "percentile"];
  const head = names.map((text, place) =>
    make("th", { scope: "col", textContent: text, className: place ? "right" : "" }),
  );
  const table = make(
    "table",
    {},
    make("caption", { textContent: key }),
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...rows),
  );
  addCsv(table);
  const region = make("div", { className: "table", tabIndex: 0 }, table);
  Object.assign(region, { role: "region", ariaLabel: "The architecture" });
  return region;
}

/** The table of the architecture with index i, and links to columns that have it too. */
function architectureParts({ result, keys, index: i }, proxies, elsewhere) {
  const key = keys[result.at[i]];
  const rows = proxies.map((name) => {
    const panel = result.proxies[name];
    const values = rankedValues(panel, result.undefined);
    return standingRow(name, panel.values[i], values, i, panel.status[i]);
  });
  const first = standingRow(result.metric, result.truth[i], result.truth, i);
  const links = elsewhere.flatMap((name, place) => [
    place ? ", " : " ",
    make("a", { href: writeAddress({ column: name, architecture: key }), textContent: name }),
  ]);
  const also = make("p", { className: "note" }, "The same architecture in:", ...links);
  return [standingTable(key, [first, ...rows]), ...(links.length ? [also] : [])];
}
