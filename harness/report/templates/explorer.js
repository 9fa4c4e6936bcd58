// The explorer: one column, a proxy against the accuracy or two against each other.
const data = JSON.parse(document.getElementById("data").textContent);
for (const result of Object.values(data.columns)) {
  for (const name of ["at", "truth"]) result[name] = data.lists[result[name]];
  for (const panel of Object.values(result.proxies)) panel.values = data.lists[panel.values];
}
const byId = (id) => document.getElementById(id);
const scatter = byId("scatter");

/** A proxy as an axis: its scores, or their ranks where these were chosen or serve better. */
function proxyAxis(name, panel, ranks) {
  const log = !ranks && panel.scale === "log";
  const ranked = ranks || panel.scale === "rank";
  return {
    label: `${name}: ${ranked ? "rank of score" : log ? "score (log axis)" : "score"}`,
    values: ranked ? ranksOrNull(panel.values) : panel.values,
    log,
  };
}

function accuracyAxis({ metric, truth }, ranks) {
  return { label: ranks ? `rank of ${metric}` : metric, values: ranks ? ranksOrNull(truth) : truth };
}

function ranksOrNull(values) {
  const ranks = averageRanks(values.map((value) => value ?? NaN));
  return ranks.map((rank) => (Number.isNaN(rank) ? null : rank));
}

const isOf = (pair, name) => pair.first === name || pair.second === name;

/** What Python's tests over columns say of two proxies; empty if they did not compare them. */
function verdict(first, second) {
  const row = data.pairs.find((pair) => [first, second].every((name) => isOf(pair, name)));
  if (!row || first === second) return "";
  const [name, more, less] =
    row.difference < 0
      ? [row.second, row.worse_in, row.better_in]
      : [row.first, row.better_in, row.worse_in];
  const by = Math.abs(row.difference).toFixed(2);
  const p = row.p_holm === null ? "" : ` (Wilcoxon, Holm: p = ${Number(row.p_holm.toPrecision(2))})`;
  return (
    ` Leaderboard: over ${row.columns} columns ρ of ${name} is higher by ${by} on average${p}, ` +
    `significantly higher in ${more} of them and lower in ${less}.`
  );
}

function sayWhat({ column, result, across, upwards }, lacking) {
  const without = lacking ? `; ${lacking} of them without a score` : "";
  const shown = ` Shown: ${result.note}${without}.`;
  const strong = make("strong", { textContent: upwards ? `${across} and ${upwards}` : across });
  const panel = result.proxies[across];
  if (!upwards) return [strong, ` on ${column}: ${panel.rho}.${shown}`];
  const other = result.proxies[upwards];
  const { rho, n } = spearman(...[panel, other].map((one) => rankedValues(one, result.undefined)));
  const each = Number.isNaN(rho) ? "undefined, one is constant" : rho.toFixed(3).replace("-", "−");
  return [
    strong,
    ` on ${column}: with each other ρ = ${each} (n = ${n}). With the accuracy: ${across} ` +
      `${panel.rho}; ${upwards} ${other.rho}.${verdict(across, upwards)}${shown}`,
  ];
}

/** A class per point: the rank of its accuracy as one of the page's shades. */
function shadesOf(truth) {
  const steps = 2 * (find("#shades i").length - 1);
  const last = Math.max(1, truth.length - 1);
  return averageRanks(truth).map((rank) => `s${Math.round((steps * (rank - 1)) / last)}`);
}

function drawExplorer(view) {
  const { result, keys, across, upwards, ranks, index } = view;
  const shown = upwards ? [across, upwards] : [across];
  const [x, y = accuracyAxis(result, ranks)] = shown.map((name) =>
    proxyAxis(name, result.proxies[name], ranks),
  );
  const score = ({ values, status }, i) =>
    values[i] === null ? `no score (${status[i]})` : readable(values[i]);
  const text = (i) => [
    keys[result.at[i]],
    ...shown.map((name) => `${name}: ${score(result.proxies[name], i)}`),
    `${result.metric}: ${readable(result.truth[i])}`,
  ];
  const shades = upwards ? shadesOf(result.truth) : result.truth.map(() => "plain");
  drawScatter(scatter, { x, y, shades, chosen: index, text: (i) => text(i).join("\n") });
  const sorted = [...result.truth].sort((a, b) => a - b);
  find("#shades b").forEach((end, i) => (end.textContent = readable(sorted.at(-i))));
  byId("shades").hidden = !upwards;
  const lacking = x.values.filter((value, i) => value === null || y.values[i] === null).length;
  byId("said").replaceChildren(...sayWhat(view, lacking));
}

function showArchitecture(view) {
  const { column, result, keys, index, names, proxies } = view;
  const at = result.at[index];
  byId("key").value = keys[at] ?? "";
  if (at === undefined) return byId("architecture").replaceChildren();
  const has = ({ space, at: places }) => space === result.space && places.includes(at);
  const elsewhere = allColumns.filter((name) => name !== column && has(data.columns[name]));
  const shown = proxies.length ? names.filter((name) => proxies.includes(name)) : names;
  byId("architecture").replaceChildren(...architectureParts(view, shown, elsewhere));
}

function fill(select, names, chosen, first = []) {
  select.replaceChildren(...first, ...names.map((name) => new Option(name, name)));
  select.value = chosen;
}

function showExplorer(view) {
  fill(byId("column"), allColumns, view.column);
  fill(byId("across"), view.names, view.across);
  fill(byId("upwards"), view.names, view.upwards, [new Option("accuracy", "")]);
  byId("axes").value = view.ranks ? "ranks" : "";
  const file = data.files[view.column];
  Object.assign(byId("points-file"), { href: file, textContent: file });
  drawExplorer(view);
  showArchitecture(view);
}

/** Key, accuracy and all scores of a column, as they are embedded; empty where there is none. */
function pointRows({ result, keys, names }) {
  const scores = (i) => names.map((name) => result.proxies[name].values[i] ?? "");
  const rows = result.at.map((at, i) => [keys[at], result.truth[i], ...scores(i)]);
  return [["key", result.metric, ...names], ...rows];
}

/** Offers keys that hold what is typed; returns those that are it, or else that hold it. */
function matching({ result, keys }, typed) {
  const found = result.at.map((at) => keys[at]).filter((key) => key.includes(typed));
  byId("keys").replaceChildren(...found.slice(0, 20).map((key) => new Option(key)));
  return found.includes(typed) ? [typed] : found;
}
