// Numbers as they are shown, and as ticks of axes.

/** A number with so many significant digits; a dash for what is none. */
function written(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

/** The largest of 1, 2, 5 times a power of ten that is not above a number. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].find((digit) => digit * power <= value * (1 + 1e-9)) * power;
}

/** Round numbers from low to high, at most so many and one. */
function ticks(low, high, count) {
  const span = high - low, power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].find((digit) => digit * power >= (span / count) * (1 - 1e-9)) * power;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * span; ++i) found.push(Number((i * step).toPrecision(12)));
  return found;
}
