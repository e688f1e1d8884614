// Values at one time, as a table: what curves say, in numbers.

/** Fill the table with the values of a row. */
function readOut(table, row, state) {
  const { scenario, made, band, recorded } = state;
  const heads = ["", "what if"];
  if (members.length > 1) heads.push("members from", "to");
  if (band) heads.push(`${written(100 * facts.calibration.coverage)} % from`, "to");
  heads.push("recorded");
  const cells = (values) => values.map((value) => make("td", {}, written(value ?? NaN, 6)));
  const line = (name, values) => make("tr", {}, make("th", { scope: "row" }, name), ...cells(values));
  const rows = facts.shown.map((one, i) => {
    const values = [made.middle[i][row]];
    if (members.length > 1) values.push(made.least[i][row], made.most[i][row]);
    if (band) values.push(band.lower[i][row], band.upper[i][row]);
    return line(labelled(one), [...values, recorded.states[i]?.[row]]);
  });
  const blank = Array(heads.length - 3).fill(NaN);
  const inputs = facts.inputs.map((one, i) => line(labelled(one), [scenario.inputs[i][row], ...blank, recorded.inputs[i][row]]));
  const head = make("tr", {}, make("td"), ...heads.slice(1).map((text) => make("th", { scope: "col" }, text)));
  table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows, ...inputs));
}
