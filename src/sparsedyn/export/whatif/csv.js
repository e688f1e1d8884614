// The scenario as CSV: a row per time; numbers with all their digits.

/** A cell of text. A name that a spreadsheet would take for a formula gets an apostrophe in front. */
function cell(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The whole table. */
function csvOf({ scenario, made, band, recorded, flags }) {
  const columns = [["time", Array.from({ length: scenario.rows }, (_, k) => Number((k * facts.dt).toPrecision(12)))]];
  facts.inputs.forEach((one, i) => columns.push([one.name, scenario.inputs[i]]));
  facts.shown.forEach((one, i) => {
    columns.push([one.name, made.middle[i]]);
    if (members.length > 1) columns.push([`${one.name} least member`, made.least[i]], [`${one.name} most member`, made.most[i]]);
    if (band) columns.push([`${one.name} lower`, band.lower[i]], [`${one.name} upper`, band.upper[i]]);
    if (recorded.states[i]) columns.push([`${one.name} recorded`, recorded.states[i]]);
  });
  columns.push(["outside training", flags.all]);
  const lines = [columns.map(([name]) => cell(name)).join(",")];
  for (let k = 0; k < scenario.rows; ++k) {
    lines.push(columns.map(([, values]) => (Number.isFinite(values[k]) ? String(values[k]) : "")).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}
