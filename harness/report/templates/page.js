// What a person chose, the address that holds it, and the page that shows it.
const theme = document.querySelector("#theme select");
let state = {};

/** What of a wanted state this page has; the rest is left out, and named. */
function possible(wanted) {
  const unknown = [];
  const known = (name, what, among) => {
    const [yes, no] = [true, false].map((is) =>
      [wanted[name] || []].flat().filter((one) => among.includes(one) === is),
    );
    unknown.push(...no.map((one) => `${what} ${one}`));
    return yes;
  };
  const columns = known("columns", "column", allColumns);
  const proxies = known("proxies", "proxy", allProxies);
  const [column] = known("column", "column", allColumns);
  const { at, space, proxies: scored } = data.columns[column ?? data.start];
  const pair = known("pair", "here the proxy", Object.keys(scored)).slice(0, 2);
  const keys = at.map((place) => data.keys[space][place]);
  const [architecture] = known("architecture", "here the architecture", keys);
  return [{ ...wanted, columns, proxies, column, pair, architecture }, unknown];
}

/** What the state shows, defaults filled in. */
function viewOf({ columns, proxies, column = data.start, pair, axes, architecture }) {
  const result = data.columns[column];
  const names = Object.keys(result.proxies);
  const [across = names[0], upwards = ""] = pair;
  const keys = data.keys[result.space];
  const index = result.at.findIndex((at) => keys[at] === architecture);
  const ranks = axes === "ranks";
  return { columns, proxies, column, result, names, across, upwards, keys, index, ranks };
}

/** Shows what is wanted; the address follows, and what this page lacks is said. */
function show(wanted) {
  const [next, unknown] = possible(wanted);
  state = next;
  history.replaceState(null, "", writeAddress(state));
  byId("notice").hidden = !unknown.length;
  byId("notice").textContent = `The link names what is not here: ${unknown.join("; ")}.`;
  theme.value = ["light", "dark"].includes(state.theme) ? state.theme : "";
  document.documentElement.dataset.theme = theme.value;
  const view = viewOf(state);
  const { columns, proxies } = view;
  showHeat(columns.length ? columns : data.main, proxies.length ? proxies : allProxies);
  showExplorer(view);
}

/** A choice made on the page: what it makes impossible, another column's proxy, is dropped. */
function choose(change) {
  show(possible({ ...state, ...change })[0]);
}

function explore(change) {
  choose({ ...change, at: "explorer" });
}

/** Goes to a place, and opens what it is folded in. */
function reveal(id) {
  const place = byId(id ?? "");
  for (let up = place; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  place?.scrollIntoView();
}

function openAddress() {
  show(readAddress(location.hash));
  reveal(state.at);
}

const changes = {
  column: (column) => ({ column }),
  across: (across) => ({ pair: [across, viewOf(state).upwards].filter(Boolean) }),
  upwards: (upwards) => ({ pair: [viewOf(state).across, upwards].filter(Boolean) }),
  axes: (axes) => ({ axes }),
};
for (const [id, change] of Object.entries(changes)) {
  byId(id).addEventListener("change", (event) => explore(change(event.target.value)));
}
theme.addEventListener("change", () => choose({ theme: theme.value }));
choice.append(
  makeChoice("columns", allColumns, { "main study": [], all: allColumns }),
  makeChoice("proxies", allProxies, { all: [] }),
);

byId("key").addEventListener("input", (event) => {
  const typed = event.target.value;
  const [first] = matching(viewOf(state), typed);
  if (!typed || first === typed) explore({ architecture: typed });
});
byId("key").addEventListener("change", (event) => {
  const found = matching(viewOf(state), event.target.value);
  if (found.length === 1) return explore({ architecture: found[0] });
  byId("architecture").textContent = `${found.length} architectures here have that in their key.`;
});
byId("points-csv").addEventListener("click", () => {
  const view = viewOf(state);
  download(`points of ${view.column}`, pointRows(view));
});

function pointChosen(i) {
  const { result, keys } = viewOf(state);
  if (i >= 0) explore({ architecture: keys[result.at[i]] });
}
scatter.addEventListener("pointermove", (event) => scatter.point(scatter.nearest(event)));
scatter.addEventListener("pointerleave", () => scatter.point(-1));
scatter.addEventListener("click", (event) => pointChosen(scatter.nearest(event)));
scatter.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const place = scatter.order.indexOf(viewOf(state).index) + step;
  pointChosen(scatter.order[Math.max(0, Math.min(place, scatter.order.length - 1))]);
});
let drawnWidth = scatter.clientWidth;
new ResizeObserver(() => {
  if (scatter.clientWidth === drawnWidth) return;
  drawnWidth = scatter.clientWidth;
  drawExplorer(viewOf(state));
}).observe(scatter);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(readAddress(link.getAttribute("href")));
  reveal(state.at);
});
window.addEventListener("hashchange", openAddress);
openAddress();
