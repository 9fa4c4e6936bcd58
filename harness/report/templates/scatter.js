// A scatter plot as SVG: axes, points, and the nearest one to the pointer.
const MARGIN = { left: 64, right: 14, top: 12, bottom: 46 };
const LANE = 18; // pixels beside an axis for what has no value on it
const HEIGHT = 420;

function svg(tag, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.textContent = text;
  return made;
}

/** Round numbers between two values, at most about as many as asked. */
function ticks(low, high, log, count) {
  if (log) {
    const every = Math.max(1, Math.ceil(Math.log10(high / low) / count));
    const first = Math.ceil(Math.log10(low) / every) * every;
    const powers = [];
    for (let power = first; 10 ** power <= high * 1.0001; power += every) powers.push(10 ** power);
    return powers;
  }
  const rough = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => unit * factor >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9 * step; i += 1) found.push(i * step);
  return found;
}

/** A number for people: six digits, as they are embedded. */
function readable(value) {
  const rounded = Number(value.toPrecision(6));
  const far = value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4);
  const text = far ? rounded.toExponential() : String(rounded);
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** From a value to a place on [0, length]; the ends leave a little room. */
function scale(values, log, length) {
  const [at, back] = log ? [Math.log10, (place) => 10 ** place] : [Number, Number];
  const defined = values.filter((value) => value !== null).map(at);
  const end = (pick) => defined.reduce((a, b) => pick(a, b), defined[0] ?? 0);
  const [low, high] = [end(Math.min), end(Math.max)];
  const pad = 0.04 * (high - low) || Math.abs(low) / 10 || 0.5;
  const place = (value) => ((at(value) - low + pad) / (high - low + 2 * pad)) * length;
  return { place, low: back(low - pad), high: back(high + pad), log, empty: !defined.length };
}

/** Where everything lies: a point without a value on an axis, in the lane beside that axis. */
function layout(x, y, width) {
  const frame = { ...MARGIN, right: width - MARGIN.right, floor: HEIGHT - MARGIN.bottom };
  const across = scale(x.values, x.log, frame.right - frame.left - LANE);
  const up = scale(y.values, y.log, frame.floor - frame.top - LANE);
  const left = (value) => frame.left + (value === null ? LANE / 2 : LANE + across.place(value));
  const top = (value) => frame.floor - (value === null ? LANE / 2 : LANE + up.place(value));
  const places = x.values.map((value, i) => [left(value), top(y.values[i])]);
  return { frame, across, up, left, top, places };
}

function ticksOf({ low, high, log, empty }, count) {
  return empty ? [] : ticks(low, high, log, count);
}

function axes(x, y, { frame, across, up, left, top }) {
  const middle = (frame.left + frame.right) / 2;
  const turned = `translate(14 ${(frame.top + frame.floor) / 2}) rotate(-90)`;
  const line = (x1, x2, y1, y2) => svg("line", { class: "grid", x1, x2, y1, y2 });
  const text = (attributes, words) => svg("text", { "text-anchor": "middle", ...attributes }, words);
  return [
    ...ticksOf(across, (frame.right - frame.left) / 100).flatMap((value) => [
      line(left(value), left(value), frame.top, frame.floor),
      text({ x: left(value), y: frame.floor + 17 }, readable(value)),
    ]),
    ...ticksOf(up, 7).flatMap((value) => [
      line(frame.left, frame.right, top(value), top(value)),
      text({ x: frame.left - 7, y: top(value) + 4, "text-anchor": "end" }, readable(value)),
    ]),
    svg("path", { class: "axis", d: `M${frame.left} ${frame.top}V${frame.floor}H${frame.right}` }),
    text({ x: middle, y: HEIGHT - 8 }, x.label),
    text({ transform: turned }, y.label),
  ];
}

function mark([left, top], shade, lacking) {
  return lacking
    ? svg("path", { class: "cross", d: `M${left - 3} ${top - 3}l6 6m0 -6l-6 6` })
    : svg("circle", { class: `dot ${shade}`, cx: left, cy: top, r: 3.2 });
}

/**
 * Draws points into a box, which then can find the point nearest to an event and point at one.
 *
 * x, y: label, values (null where there is none) and log; shades: a class per point; chosen: index
 * of the point with a ring, -1 for none; text: what the label of a point says.
 */
function drawScatter(box, { x, y, shades, chosen, text }) {
  const width = Math.max(260, box.clientWidth);
  const drawn = layout(x, y, width);
  const viewBox = `0 0 ${width} ${HEIGHT}`; // paper may be narrower
  const picture = svg("svg", { width, height: HEIGHT, viewBox, "aria-hidden": true });
  const lacking = (i) => x.values[i] === null || y.values[i] === null;
  const marks = drawn.places.map((place, i) => mark(place, shades[i], lacking(i)));
  picture.append(...axes(x, y, drawn), ...marks);
  const ring = (name, i) => {
    picture.querySelector(`.${name}`)?.remove();
    if (i < 0) return;
    const [cx, cy] = drawn.places[i];
    picture.append(svg("circle", { class: `ring ${name}`, cx, cy, r: 7 }));
  };
  ring("chosen", chosen);
  box.replaceChildren(picture);
  box.nearest = (event) => nearest(drawn.places, picture.getBoundingClientRect(), event);
  box.point = (i) => {
    ring("pointed", i);
    if (i < 0) return hideTip();
    const { x: left, y: top } = picture.getBoundingClientRect();
    showTip(text(i), left + drawn.places[i][0], top + drawn.places[i][1]);
  };
  box.order = [...shades.keys()].sort((a, b) => drawn.places[a][0] - drawn.places[b][0]);
}

/** The index of the point within a finger's width of an event, -1 if there is none. */
function nearest(places, frame, { clientX, clientY }) {
  const away = places.map(([x, y]) => Math.hypot(x + frame.x - clientX, y + frame.y - clientY));
  const least = away.reduce((a, b) => Math.min(a, b), 16);
  return least < 16 ? away.indexOf(least) : -1;
}
