// The heat map's columns and proxies: those that are chosen are shown.
const heat = document.getElementById("heat");
const choice = document.getElementById("choice");
const allColumns = find("thead [data-column]", heat).map((heading) => heading.dataset.column);
const allProxies = find("tbody tr", heat).map((row) => row.dataset.proxy);

/** Shows columns, and the rows of proxies that were scored on one of them. */
function showHeat(columns, proxies) {
  const shown = allColumns.map((name) => columns.includes(name));
  for (const row of heat.rows) {
    [...row.cells].slice(1).forEach((cell, i) => (cell.hidden = !shown[i]));
    if (!row.dataset.proxy) continue;
    const scored = [...row.cells].slice(1).some((cell, i) => shown[i] && cell.hasChildNodes());
    row.hidden = !scored || !proxies.includes(row.dataset.proxy);
  }
  for (const box of find("input", choice)) {
    box.checked = (box.name === "columns" ? columns : proxies).includes(box.value);
  }
}

/** Boxes to tick, and buttons that choose a whole list. */
function makeChoice(name, values, presets) {
  const boxes = values.map((value) => make("input", { type: "checkbox", name, value }));
  const chosen = (list) => choose({ [name]: list, at: "heatmap" });
  const ticked = () => chosen(boxes.filter((box) => box.checked).map((box) => box.value));
  boxes.forEach((box) => box.addEventListener("change", ticked));
  const buttons = Object.entries(presets).map(([textContent, preset]) => {
    const button = make("button", { type: "button", textContent });
    button.addEventListener("click", () => chosen(preset));
    return button;
  });
  const labels = boxes.map((box) => make("label", {}, box, ` ${box.value}`));
  const legend = make("legend", { textContent: name });
  return make("fieldset", {}, legend, ...buttons, make("div", {}, ...labels));
}
