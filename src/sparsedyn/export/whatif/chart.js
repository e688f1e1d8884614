// Charts over time, as SVG: colours and dashes are in the style sheet, so that light and dark need no redrawing.

const MARGIN = { left: 52, right: 10, top: 8, bottom: 22 };

/** A chart in `host` of a stated height, as wide as its host. `label` says what it shows to who does not see it. */
class Chart {
  constructor(host, height) {
    this.svg = draw("svg", { role: "img", height, class: "chart" });
    this.cursor = null;
    [this.host, this.height, this.view] = [host, height, null];
    host.append(this.svg);
    new ResizeObserver(() => this.redraw()).observe(host);
  }

  /**
   * Show `lines` ({values, kind, steps}), `areas` ({low, high, kind}) and, hatched, rows that are `outside`.
   * `dt` is the time of a row, `near` an interval that the axis may go beyond, but not by far. `room` is an interval
   * that the axis has at least, `held` the one that it has.
   */
  show(view, label) {
    this.view = view;
    this.svg.setAttribute("aria-label", label);
    this.redraw();
  }

  redraw() {
    const width = this.host.clientWidth;
    if (!this.view || !width) return;
    const { rows, dt, lines, areas, outside } = this.view;
    const box = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: this.height - MARGIN.bottom };
    const [low, high] = (this.ends = this.view.held ?? extent(this.view));
    this.x = (row) => box.left + (row / Math.max(1, rows - 1)) * (box.right - box.left);
    this.y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
    this.back = (px, py) => [
      Math.round(((px - box.left) / (box.right - box.left)) * (rows - 1)),
      low + ((box.bottom - py) / (box.bottom - box.top)) * (high - low),
    ];
    [this.box, this.width] = [box, width];
    const clip = `clip${this.number ??= Chart.count++}`;
    const parts = [
      draw("clipPath", { id: clip }, draw("rect", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top })),
    ];
    for (const value of ticks(low, high, this.height > 120 ? 5 : 3)) {
      parts.push(draw("line", { class: "grid", x1: box.left, x2: box.right, y1: this.y(value), y2: this.y(value) }));
      parts.push(draw("text", { class: "tick", x: box.left - 6, y: this.y(value) + 4, "text-anchor": "end" }, written(value, 5)));
    }
    const end = Math.max(1, rows - 1) * dt;
    ticks(0, end, Math.max(3, Math.round(width / 80))).forEach((time, i, all) => {
      const x = box.left + (time / end) * (box.right - box.left), unit = i === all.length - 1 ? " s" : "";
      const anchor = x > box.right - 20 ? "end" : "middle";
      parts.push(draw("text", { class: "tick", x, y: this.height - 6, "text-anchor": anchor }, written(time, 5) + unit));
    });
    const drawn = draw("g", { "clip-path": `url(#${clip})` });
    for (const [first, last] of outside ? stretches(outside) : []) {
      const x = this.x(Math.max(0, first - 0.5));
      drawn.append(draw("rect", { class: "outside", x, y: box.top, width: Math.max(2, this.x(last + 0.5) - x), height: box.bottom - box.top }));
    }
    for (const { low: from, high: to, kind } of areas) drawn.append(draw("path", { class: kind, d: this.area(from, to) }));
    for (const { values, kind, steps } of lines) drawn.append(draw("path", { class: `line ${kind}`, d: this.line(values, steps) }));
    this.cursor = draw("line", { class: "cursor", y1: box.top, y2: box.bottom });
    drawn.append(this.cursor);
    parts.push(drawn, draw("path", { class: "frame", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }));
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.replaceChildren(...parts);
    this.point(this.row ?? 0);
  }

  /** Put the cursor at a row. */
  point(row) {
    this.row = row;
    if (!this.cursor) return;
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(Math.min(row, this.view.rows - 1)));
  }

  line(values, steps) {
    let [path, open, before] = ["", false, 0];
    for (const k of this.kept(values)) {
      if (!Number.isFinite(values[k])) { open = false; continue; }
      const [x, y] = [this.x(k).toFixed(1), this.y(values[k]).toFixed(1)];
      path += open ? (steps ? `H${x}V${y}` : `L${x},${y}`) : `M${x},${y}`;
      [open, before] = [true, k];
    }
    return path + (open && steps ? `H${this.x(before + 1).toFixed(1)}` : "");
  }

  area(low, high) {
    const rows = [];
    for (let k = 0; k < low.length; ++k) if (Number.isFinite(low[k]) && Number.isFinite(high[k])) rows.push(k);
    if (rows.length < 2) return "";
    // Two rows to a pixel are enough of an area.
    const every = Math.max(1, Math.floor(rows.length / (2 * this.width)));
    const some = rows.filter((_, i) => i % every === 0 || i === rows.length - 1);
    const far = (y) => Math.min(Math.max(y, -1e4), 1e4);
    const at = (values) => (k) => `${this.x(k).toFixed(1)},${far(this.y(values[k])).toFixed(1)}`;
    return `M${some.map(at(high)).join("L")}L${some.reverse().map(at(low)).join("L")}Z`;
  }

  /** The rows that make a line: of many to a pixel the first, the least and the largest, so that no peak is lost. */
  kept(values) {
    const each = Math.floor(values.length / this.width);
    if (each < 4) return values.keys();
    const found = [];
    for (let first = 0; first < values.length; first += each) {
      let [least, most] = [first, first];
      for (let k = first; k < Math.min(first + each, values.length); ++k) {
        if (values[k] < values[least]) least = k;
        if (values[k] > values[most]) most = k;
      }
      found.push(...new Set([first, least, most].sort((a, b) => a - b)));
    }
    if (found[found.length - 1] !== values.length - 1) found.push(values.length - 1);
    return found;
  }
}
Chart.count = 0;

/** The ends of the axis: of all that is shown, but not so far that a forecast which runs off hides everything else. */
function extent({ lines, areas, near, room }) {
  const of = (lists) => {
    let [low, high] = [Infinity, -Infinity];
    for (const values of lists) for (const v of values) if (Number.isFinite(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
    return [low, high];
  };
  let [low, high] = of([...lines.map((one) => one.values), ...areas.flatMap((one) => [one.low, one.high])]);
  const known = of([...lines.filter((one) => one.kind === "recorded").map((one) => one.values), near ?? []]);
  if (known[0] < known[1]) {
    const span = known[1] - known[0];
    [low, high] = [Math.max(low, known[0] - 2 * span), Math.min(high, known[1] + 2 * span)];
  }
  if (!(low < high)) {
    const value = Number.isFinite(low) ? low : 0, half = Math.abs(value) / 10 || 1;
    [low, high] = [value - half, value + half];
  }
  if (room) [low, high] = [Math.min(low, room[0]), Math.max(high, room[1])];
  return [low - 0.05 * (high - low), high + 0.05 * (high - low)];
}

/** Runs of ones: [first, last] each. */
function stretches(flags) {
  const found = [];
  for (let k = 0; k < flags.length; ++k) {
    if (!flags[k]) continue;
    if (k && flags[k - 1]) found[found.length - 1][1] = k;
    else found.push([k, k]);
  }
  return found;
}
