// What the model does: pure functions of the facts, the members and a scenario. They run in Node, too.
//
// A scenario is `rows`, how many; `start`, the rows that a run begins from, each with a value per own state; and
// `inputs`, a list of values per input, of as many rows.

/** A column of the data: its values, or the rows at which it changes and what to. */
function unpacked(column, rows) {
  if (Array.isArray(column)) return Float64Array.from(column);
  const values = new Float64Array(rows);
  column.at.forEach((first, i) => values.fill(column.to[i], first, column.at[i + 1] ?? rows));
  return values;
}

/** Steps of one member; returns values of what is shown, a list per variable. Yields now and then, for a pause. */
function* simulated(facts, member, scenario) {
  const { rows, start, inputs } = scenario;
  const shown = facts.shown.map(() => new Float64Array(rows).fill(NaN));
  const at = (row) => inputs.map((values) => values[row]);
  const given = start.length, last = given - 1;
  // Own states come first among those of the exported step; earlier rows follow, where the model looks back.
  let x = facts.places.map(([kind, i, old]) => (kind === "x" ? start[last - old][i] : inputs[i][last - old]));
  for (let k = 0; k < Math.min(last, rows); ++k) shown.forEach((values, i) => { values[k] = start[k][i]; });
  for (let k = last; k < rows; ++k) {
    const u = at(k);
    const now = member.output ? member.output(x, u) : x;
    if (!x.every(Number.isFinite)) break;
    for (let i = 0; i < shown.length; ++i) shown[i][k] = now[i];
    if (k + 1 < rows) x = member.step(x, u);
    if (k % 128 === 127) yield k;
  }
  return shown;
}

/** A quantile of sorted numbers, between neighbours on a line. */
function quantile(sorted, share) {
  const place = share * (sorted.length - 1), below = Math.floor(place), above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/**
 * Of the runs of all members: the median of those that are finite, the least and the most, and half the distance
 * between two inner quantiles; lists per variable.
 */
function summarized(runs, inner) {
  const [rows, count] = [runs[0][0].length, runs[0].length];
  const lists = () => Array.from({ length: count }, () => new Float64Array(rows).fill(NaN));
  const made = { middle: lists(), least: lists(), most: lists(), spread: lists() };
  for (let i = 0; i < count; ++i) {
    for (let k = 0; k < rows; ++k) {
      const values = runs.map((run) => run[i][k]).filter(Number.isFinite).sort((a, b) => a - b);
      if (!values.length) continue;
      made.middle[i][k] = quantile(values, 0.5);
      made.least[i][k] = values[0];
      made.most[i][k] = values[values.length - 1];
      made.spread[i][k] = (quantile(values, 1 - inner) - quantile(values, inner)) / 2;
    }
  }
  return made;
}

/** The calibrated band around the median, or null without one; NaN beyond the rows of calibration. */
function banded(calibration, made) {
  if (!calibration) return null;
  const { edges, residual, factor } = calibration;
  const side = (sign) => made.middle.map((middle, i) => {
    let group = -1;
    return middle.map((value, k) => {
      while (group + 1 < edges.length && k >= edges[group + 1]) ++group;
      if (k < edges[0]) return value;
      if (group >= factor.length) return NaN;
      const times = factor[group][i] ?? Infinity;
      return value + sign * times * Math.sqrt(made.spread[i][k] ** 2 + residual[group][i] ** 2);
    });
  });
  return { lower: side(-1), upper: side(1) };
}

/** Which values of a list are outside an interval: 1 or 0, a row each; what is not finite is outside. */
const outside = (values, near) =>
  Uint8Array.from(values, (value) => Number(near !== null && !(value >= near[0] && value <= near[1])));
