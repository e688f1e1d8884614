// A slider and a number field for one value: the slider for trying, the field for values to the digit.

const STEPS = 200;

/** Make a dial; `onChange` gets values that its user chose. `id` is that of the number field, `id-slider` the other. */
function dial(id, name, onChange) {
  const text = make("span");
  const slider = make("input", { type: "range", id: `${id}-slider` });
  const field = make("input", { type: "number", id, step: "any" });
  const element = make("div", { class: "dial" }, make("label", { for: id }, text), slider, field);
  const taken = (value) => Number.isFinite(value) && onChange(value);
  slider.addEventListener("input", () => {
    field.value = slider.value;
    taken(slider.valueAsNumber);
  });
  // As typed: what the slider cannot reach counts all the same.
  field.addEventListener("input", () => {
    if (Number.isFinite(field.valueAsNumber)) slider.value = field.value;
    taken(field.valueAsNumber);
  });
  const named = (label) => {
    text.textContent = label;
    slider.setAttribute("aria-label", `${label}, slider`);
  };
  named(name);
  return {
    element,
    named,
    /** Set the ends of the slider: whole steps, and zero one of them. */
    range([low, high], whole = false) {
      const step = whole ? 1 : nice((high - low) / STEPS);
      const digits = (value) => Number(value.toPrecision(12));
      fill(slider, { step: digits(step), min: digits(Math.floor(low / step) * step), max: digits(Math.ceil(high / step) * step) }, []);
    },
    set(value) {
      // Not while it is typed in: half a number is none.
      if (document.activeElement !== field) field.value = Number(value.toPrecision(12));
      slider.value = value;
      slider.setAttribute("aria-valuetext", written(value));
    },
  };
}
