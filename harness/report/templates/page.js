"use strict";
(function () {
  const config = { displayModeBar: false, responsive: true };
  const find = (selector) => [...document.querySelectorAll(selector)];
  const panels = JSON.parse(document.getElementById("data").textContent);

  // Tables: a click on a heading sorts, empty cells stay last.
  const collator = new Intl.Collator("en", { numeric: true });
  function sorted(rows, index, sign) {
    const value = (row) => row.cells[index].dataset.sort ?? row.cells[index].textContent;
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const difference = Number(x) - Number(y);
      return sign * (Number.isNaN(difference) ? collator.compare(x, y) : difference);
    };
    return [...rows].sort(compare);
  }
  function sort(heading) {
    const table = heading.closest("table");
    const numeric = heading.classList.contains("right");
    const up = heading.ariaSort ? heading.ariaSort === "descending" : !numeric;
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    body.append(...sorted(body.rows, heading.cellIndex, up ? 1 : -1));
  }
  find("table.sortable th button").forEach((button) => {
    button.addEventListener("click", () => sort(button.closest("th")));
  });

  // Long tables: a box that keeps the rows with all of its words.
  find("[data-filter]").forEach((region) => {
    const label = document.createElement("label");
    label.className = "filter";
    label.append("Show rows with ", Object.assign(document.createElement("input"), { type: "search" }));
    region.before(label);
    label.lastChild.addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/);
      for (const row of region.querySelector("tbody").rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
  });

  if (!window.Plotly) {
    find(".plot").forEach((plot) => {
      plot.className = "missing";
      plot.style = "";
      plot.textContent = "This figure needs plotly.min.js, which belongs beside this page.";
    });
    return;
  }

  // Figures.
  const column = document.getElementById("column");
  const proxy = document.getElementById("proxy");
  const scatter = document.getElementById("scatter");
  const empty = JSON.parse(scatter.dataset.figure);

  function options(select, names, keep) {
    select.replaceChildren(...names.map((name) => new Option(name, name)));
    if (names.includes(keep)) select.value = keep;
  }
  function draw() {
    const result = panels[column.value];
    const panel = result.proxies[proxy.value];
    const all = result.keys.map((_, i) => i);
    const defined = all.filter((i) => panel.values[i] !== null);
    const missing = all.filter((i) => panel.values[i] === null);
    const trace = (skeleton, indices, x, shown) => ({
      ...skeleton,
      x: indices.map(x),
      y: indices.map((i) => result.truth[i]),
      text: indices.map((i) => wrapped(result.keys[i])),
      customdata: indices.map(shown),
    });
    const layout = structuredClone(empty.layout);
    Object.assign(layout.xaxis, { type: panel.scale, title: { text: plain(panel.label) } });
    if (!defined.length) Object.assign(layout.xaxis, { showticklabels: false });
    layout.yaxis.title.text = plain(result.label);
    const data = [
      trace(empty.data[0], defined, (i) => (panel.x || panel.values)[i], (i) => panel.values[i]),
      trace(empty.data[1], missing, () => 0, (i) => panel.status[i]),
    ];
    Plotly.react(scatter, data, layout, config);
    const without = missing.length ? `; ${missing.length} of them without a score` : "";
    const name = Object.assign(document.createElement("strong"), { textContent: proxy.value });
    const rest = ` on ${column.value}: ${panel.title}. Shown: ${result.note}${without}.`;
    document.getElementById("points-title").replaceChildren(name, rest);
  }
  // Plotly reads a few HTML tags and their attributes in its labels; a name is no tag.
  function plain(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }
  // Long names break where cells and nodes do, so that a label fits on a phone.
  function wrapped(key) {
    const lines = key.match(/.{28,}?[|+_-](?=.)|.+/g) ?? [];
    return `<b>${lines.map(plain).join("<br>")}</b>`;
  }
  function choose(name, wanted) {
    column.value = name;
    options(proxy, Object.keys(panels[name].proxies), wanted);
    draw();
  }

  for (const plot of find(".heatmap")) {
    const figure = JSON.parse(plot.dataset.figure);
    Plotly.newPlot(plot, figure.data, figure.layout, config);
    plot.on("plotly_click", (event) => {
      choose(event.points[0].x, event.points[0].y);
      document.getElementById("points").scrollIntoView({ behavior: "smooth" });
    });
  }
  options(column, Object.keys(panels));
  column.addEventListener("change", () => choose(column.value, proxy.value));
  proxy.addEventListener("change", draw);
  choose(column.value);

  // Paper is narrower than most screens and shows no closed parts.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = find("details.printed:not([open])");
    opened.forEach((part) => (part.open = true));
    find(".plot").forEach((plot) => Plotly.relayout(plot, { width: Math.min(680, plot.clientWidth) }));
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((part) => (part.open = false));
    find(".plot").forEach((plot) => Plotly.relayout(plot, { width: null, autosize: true }));
  });
})();
