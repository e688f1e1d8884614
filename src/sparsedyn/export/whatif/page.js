// The page: one scenario, its controls, and what the model makes of it.

const facts = JSON.parse(byId("facts").textContent);
const INNER = facts.calibration ? facts.calibration.inner : 0.16;
const trajectories = facts.trajectories.map((one) => ({
  ...one,
  recorded: one.recorded.map((column) => unpacked(column, one.rows)),
  inputs: one.inputs.map((column) => unpacked(column, one.rows)),
}));
const longest = Math.max(...trajectories.map((one) => one.rows));
const choice = { trajectory: 0, rows: trajectories[0].rows, start: [], profiles: [] };
let state = null;
let row = 0;

const current = () => trajectories[choice.trajectory];

// --- What is computed ---

/** The scenario that the controls say, or that of the record. */
function scenarioOf(profiles, start) {
  const inputs = current().inputs.map((values, i) => valuesOf(profiles[i], values, choice.rows));
  return { rows: choice.rows, start, inputs };
}

const isUnchanged = () =>
  choice.profiles.every(isRecorded) && choice.start.every((one, r) => one.every((v, i) => v === current().start[r][i]));

/** Run a generator in slices, so that the page answers meanwhile. */
async function sliced(steps) {
  let begun = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - begun > 12) {
      await new Promise((resume) => setTimeout(resume));
      begun = performance.now();
    }
  }
}

/** Run all members; `early` gets what the first gives where that took long. */
async function forecasts(scenario, early) {
  const runs = [];
  const begun = performance.now();
  for (const member of members) {
    runs.push(await sliced(simulated(facts, member, scenario)));
    if (early && runs.length === 1 && members.length > 1 && performance.now() - begun > 30) early(summarized(runs, INNER));
  }
  return summarized(runs, INNER);
}

let [running, again] = [false, false];
const baselines = new Map();

/** Compute and show the scenario; while that goes on, only the newest of what is asked for comes next. */
async function refresh() {
  again = true;
  byId("main").setAttribute("aria-busy", "true");
  if (running) return;
  running = true;
  while (again) {
    again = false;
    await compute();
  }
  running = false;
  byId("main").setAttribute("aria-busy", "false");
}

async function compute() {
  const scenario = scenarioOf(choice.profiles, choice.start.map((one) => [...one]));
  const key = `${choice.trajectory} ${choice.rows}`;
  const plain = isUnchanged();
  const recorded = { states: current().recorded, inputs: current().inputs };
  const shown = (made) => {
    state = { scenario, made, recorded, plain, band: banded(facts.calibration, made), baseline: baselines.get(key) };
    state.flags = flagsOf(state);
    show();
  };
  if (!plain && !baselines.has(key)) {
    const asIs = scenarioOf(choice.profiles.map(asRecorded), current().start);
    baselines.set(key, (await forecasts(asIs, null)).middle);
  }
  const made = await forecasts(scenario, shown);
  if (plain) baselines.set(key, made.middle);
  shown(made);
}

/** Which rows are outside the training domain: of every input, of everything shown, and of any. */
function flagsOf({ scenario, made }) {
  const inputs = facts.inputs.map((one, i) => outside(scenario.inputs[i], one.near));
  const states = facts.shown.map((one, i) => outside(made.middle[i], one.near));
  const all = new Uint8Array(scenario.rows);
  for (const flags of [...inputs, ...states]) for (let k = 0; k < all.length; ++k) all[k] |= flags[k];
  return { inputs, states, all };
}

// --- What is shown ---

const stateCharts = facts.shown.map((one) => {
  const host = make("div", { class: "canvas" });
  byId("states").append(make("figure", { class: "card" }, make("figcaption", {}, labelled(one)), host));
  return new Chart(host, 190);
});

function show() {
  const { scenario, made, band, recorded, plain, baseline, flags } = state;
  facts.shown.forEach((one, i) => {
    const lines = [];
    const areas = [];
    if (band) areas.push({ low: band.lower[i], high: band.upper[i], kind: "band" });
    if (members.length > 1) areas.push({ low: made.least[i], high: made.most[i], kind: "members" });
    if (recorded.states[i]) lines.push({ values: recorded.states[i].subarray(0, scenario.rows), kind: "recorded" });
    if (!plain && baseline) lines.push({ values: baseline[i], kind: "baseline" });
    lines.push({ values: made.middle[i], kind: "forecast" });
    const label = `${labelled(one)} over time. Forecast ${told(made.middle[i])}.` + (recorded.states[i] ? ` Recorded ${told(recorded.states[i])}.` : "");
    stateCharts[i].show({ rows: scenario.rows, dt: facts.dt, lines, areas, outside: flags.states[i], near: one.near }, label);
  });
  cards.forEach((card, i) => card.show(scenario.inputs[i], flags.inputs[i]));
  byId("baseline-key").hidden = plain;
  showFlag();
  point(Math.min(row, scenario.rows - 1));
}

/** Say where the forecast leaves the training domain, once, when it changes. */
function showFlag() {
  const { flags, made, scenario } = state;
  const off = made.middle.some((values) => values.some((value) => !Number.isFinite(value)));
  const parts = [...facts.inputs.map((one, i) => [one, flags.inputs[i]]), ...facts.shown.map((one, i) => [one, flags.states[i]])]
    .map(([one, own]) => [one, own.indexOf(1)])
    .filter(([, first]) => first >= 0)
    .map(([one, first]) => `${one.name} from ${written(first * facts.dt)} s`);
  let text = "Inside the training domain at every row.";
  if (parts.length) text = `Outside the training domain, where a forecast is a guess: ${parts.join(", ")}.`;
  if (off) text += " The forecast runs off to infinity.";
  if (flags.all.every((one) => !one) && !facts.inputs.concat(facts.shown).some((one) => one.near)) text = "The training domain is not known.";
  const flag = byId("flag");
  flag.classList.toggle("warn", parts.length > 0 || off);
  if (flag.textContent !== text) flag.textContent = text;
}

/** Read all curves at a row. */
function point(chosen) {
  row = chosen;
  for (const chart of [...stateCharts, ...cards.map((card) => card.chart)]) chart.point(row);
  byId("time").value = row;
  byId("time-value").textContent = `${written(row * facts.dt)} s`;
  byId("time").setAttribute("aria-valuetext", `${written(row * facts.dt)} s`);
  readOut(byId("values"), row, state);
}

// --- Controls ---

const cards = facts.inputs.map((one, i) =>
  inputCard(one, i, {
    get: () => choice.profiles[i],
    set: (profile) => {
      choice.profiles[i] = profile;
      refresh();
    },
    context: () => ({ recorded: current().inputs[i], rows: choice.rows }),
  }),
);
byId("inputs").append(...cards.map((card) => card.element));
byId("inputs").hidden = !cards.length;

const starts = facts.own.map((one, i) => {
  const made = dial(`start-${i}`, labelled(one), (value) => {
    // Where a model looks back, all its first rows are shifted alike.
    const last = choice.start.length - 1, shift = value - current().start[last][i];
    choice.start.forEach((start, r) => { start[i] = r === last ? value : current().start[r][i] + shift; });
    refresh();
  });
  made.range(one.range);
  return made;
});
byId("starts").append(...starts.map((one) => one.element));

const horizon = dial("horizon", "Horizon (rows)", (value) => {
  choice.rows = Math.min(Math.max(Math.round(value), current().start.length + 1), 10 * longest);
  byId("time").max = choice.rows - 1;
  refresh();
});
horizon.range([2, 2 * longest], true);
byId("horizon-place").append(horizon.element);

/** Everything as recorded. */
function reset() {
  choice.rows = current().rows;
  choice.start = current().start.map((one) => [...one]);
  choice.profiles = facts.inputs.map(asRecorded);
  horizon.set(choice.rows);
  starts.forEach((one, i) => one.set(choice.start[choice.start.length - 1][i]));
  byId("time").max = choice.rows - 1;
  refresh();
}

byId("trajectory").append(...trajectories.map((one, i) => make("option", { value: i }, one.label)));
byId("trajectory").addEventListener("change", (event) => {
  choice.trajectory = Number(event.target.value);
  reset();
});
byId("reset").addEventListener("click", reset);
byId("time").addEventListener("input", (event) => point(event.target.valueAsNumber));
for (const chart of [...stateCharts, ...cards.map((card) => card.chart)]) {
  chart.svg.addEventListener("pointermove", (event) => {
    if (!state || event.buttons) return;
    const [at] = chart.back(event.clientX - chart.svg.getBoundingClientRect().left, 0);
    point(Math.min(Math.max(at, 0), state.scenario.rows - 1));
  });
}
byId("download").addEventListener("click", () => {
  const link = make("a", { href: URL.createObjectURL(new Blob([csvOf(state)], { type: "text/csv" })), download: "scenario.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
byId("theme").addEventListener("change", (event) => {
  const theme = event.target.value;
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme;
});
if (members.length < 2) byId("members-key").remove();
if (!facts.calibration) byId("band-key").remove();
else byId("band-text").textContent = `holds ${written(100 * facts.calibration.coverage)} % of recorded values`;
reset();
