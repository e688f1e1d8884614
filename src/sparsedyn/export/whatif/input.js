// The controls of one input: what it follows, a slider, a chart to draw on, and the same by numbers.

/** Make the card of an input. `get` and `set` are those of its profile; `context` gives the recorded values and rows. */
function inputCard(one, i, { get, set, context }) {
  const name = labelled(one);
  const kinds = make("select", { id: `input-${i}-kind`, "aria-label": `${name}: what it follows` });
  kinds.append(...Object.entries(KINDS).map(([value, text]) => make("option", { value }, text)));
  const span = one.range[1] - one.range[0];
  const amount = dial(`input-${i}`, name, (value) => {
    set(get().kind === "constant" ? { ...get(), constant: value } : { ...get(), shift: value });
  });
  const host = make("div", { class: "canvas" });
  const numbers = stretchForm(i, name, (from, to) => set(lined(get(), from, to, context().rows)), () => facts.dt);
  const element = make("fieldset", { class: "card input" }, make("legend", {}, name), kinds, host, amount.element, numbers);
  const chart = new Chart(host, 96);
  kinds.addEventListener("change", () => {
    const { recorded, rows } = context();
    set(turned(get(), kinds.value, recorded, rows));
  });
  // While a line is drawn, where the pointer was, and the axis, which must stay.
  let [before, held] = [null, null];
  const point = (event) => {
    const box = chart.svg.getBoundingClientRect();
    return chart.back(event.clientX - box.left, event.clientY - box.top);
  };
  host.addEventListener("pointerdown", (event) => {
    if (get().kind !== "drawn" || event.button) return;
    host.setPointerCapture(event.pointerId);
    [before, held] = [point(event), chart.ends];
    set(lined(get(), before, before, context().rows));
  });
  host.addEventListener("pointermove", (event) => {
    if (!before) return;
    const now = point(event);
    set(lined(get(), before, now, context().rows));
    before = now;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    host.addEventListener(end, () => {
      if (!before) return;
      [before, held] = [null, null];
      set(get());
    });
  }
  return {
    element,
    chart,
    /** Show the profile as it is. */
    show(values, flags) {
      const { kind, constant, shift } = get();
      const { recorded, rows } = context();
      kinds.value = kind;
      amount.named(kind === "constant" ? `Value of ${name}` : `Shift of ${name}`);
      amount.range(kind === "constant" ? one.range : [-span / 2, span / 2]);
      amount.set(kind === "constant" ? constant : shift);
      numbers.hidden = kind !== "drawn";
      element.classList.toggle("drawing", kind === "drawn");
      element.classList.toggle("changed", !isRecorded(get()));
      const lines = [{ values: recorded.subarray(0, rows), kind: "recorded", steps: true }];
      lines.push({ values, kind: "forecast", steps: true });
      const room = kind === "drawn" ? one.range : null;
      const view = { rows, dt: facts.dt, lines, areas: [], outside: flags, near: null, room, held };
      chart.show(view, `${name} over time, ${KINDS[kind].toLowerCase()}: ${told(values)}`);
    },
  };
}

/** A line from one time and value to another, by numbers: what drawing does, for a keyboard. */
function stretchForm(i, name, apply, dt) {
  const field = (what, text, required = true) => {
    const input = make("input", { type: "number", step: "any", id: `input-${i}-${what}`, required });
    return [input, make("label", {}, text, input)];
  };
  const [[from, a], [to, b], [first, c], [last, d]] = [
    field("from", "From time"), field("to", "to time"), field("first", "value"), field("last", "to value (or the same)", false),
  ];
  const form = make("form", { class: "stretch", hidden: true, "aria-label": `Draw ${name} by numbers` });
  form.append(make("p", { class: "hint" }, "Draw on the chart, or by numbers:"), a, b, c, d, make("button", { type: "submit" }, "Draw this line"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const rowOf = (time) => Math.round(time.valueAsNumber / dt());
    const [begin, end] = [first.valueAsNumber, last.value === "" ? first.valueAsNumber : last.valueAsNumber];
    apply([rowOf(from), begin], [rowOf(to), end]);
  });
  return form;
}

/** Values in a few words: where they begin, where they end, and how far they go. */
function told(values) {
  const known = values.filter(Number.isFinite);
  if (!known.length) return "no values";
  let [low, high] = [Infinity, -Infinity];
  for (const value of known) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return `from ${written(known[0])} to ${written(known[known.length - 1])}, between ${written(low)} and ${written(high)}`;
}
