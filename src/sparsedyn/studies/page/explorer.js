"use strict";

// Two charts drawn by Plotly from the data that travels in the page.
(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const find = (id) => document.getElementById(id);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const config = { responsive: true, displayModeBar: false };
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Forecasts are 16-bit positions within the range of their state; 65535 says off scale.
  const unpack = (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Uint16Array(bytes.buffer);
  };
  const series = (codes, offset, state) => {
    const width = data.states.length, [low, high] = data.states[state].range, line = [];
    for (let i = 0; i < data.points; i++) {
      const code = codes[(offset * data.points + i) * width + state];
      line.push(code === 65535 ? null : low + (code / 65534) * (high - low));
    }
    return line;
  };
  const axis = (more) => ({
    gridcolor: style("--line"), linecolor: style("--soft"), zeroline: false, ticks: "", automargin: true, ...more,
  });
  const layout = (more) => ({
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", hovermode: "closest",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: style("--ink") },
    margin: { l: 60, r: 12, t: 36, b: 44 }, ...more,
  });
  // On a dark page the palette is lifted towards white.
  const shade = (color) => {
    if (!dark.matches) return color;
    const parts = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
    return `rgb(${parts.map((c) => Math.round(c + (255 - c) * 0.35)).join(",")})`;
  };
  const dash = (cell) => (cell.averaged ? "dash" : "solid");

  function drawFans() {
    const cell = data.cells[find("fan-cell").value], chosen = Number(find("fan-trajectory").value);
    const codes = unpack(cell.fans), truth = unpack(data.truth), traces = [];
    const columns = Math.max(1, Math.min(data.states.length, Math.floor(find("fan-chart").clientWidth / 270), 4));
    const rows = Math.ceil(data.states.length / columns), trajectories = data.trajectories.length;
    const figure = layout({
      height: 60 + 215 * rows, showlegend: false, annotations: [],
      grid: { rows, columns, pattern: "independent", xgap: 0.16, ygap: 0.32 },
    });
    data.states.forEach((state, s) => {
      const n = s ? s + 1 : "", add = (y, name, line) => traces.push({
        x: cell.time, y, name, line, type: "scatter", mode: "lines", xaxis: `x${n}`, yaxis: `y${n}`,
        hovertemplate: `%{y:.5~g} ${plain(state.unit)}`,
      });
      for (let m = 0; m < cell.members; m++) {
        add(series(codes, m * trajectories + chosen, s), `member ${m + 1}`, { color: shade(cell.color), width: 1 });
      }
      add(series(truth, chosen, s), "truth", { color: style("--ink"), width: 2 });
      const last = s + columns >= data.states.length;
      figure[`xaxis${n}`] = axis({ matches: s ? "x" : undefined, title: last ? { text: data.timeLabel, standoff: 4 } : {} });
      figure[`yaxis${n}`] = axis({ nticks: 5, exponentformat: "power", minexponent: 6 });
      figure.annotations.push({
        text: `<b>${plain(state.name)}</b>${state.unit ? ` (${plain(state.unit)})` : ""}`, showarrow: false,
        xref: `x${n} domain`, yref: `y${n} domain`, x: 0, y: 1, xanchor: "left", yanchor: "bottom",
      });
    });
    Plotly.react("fan-chart", traces, figure, config);
  }

  function drawErrors() {
    const cells = data.cells.filter((cell) => cell.error), bands = find("error-bands").checked, traces = [];
    find("error-block").hidden = !cells.length;
    if (!cells.length) return;
    const [low, high] = data.errorRange;
    // Infinite errors travel as null: they belong above the chart.
    const seen = (values) => values.map((v) => Math.max(low / 10, v ?? high * 10));
    cells.forEach((cell, i) => {
      const common = { x: cell.error.time, legendgroup: String(i), type: "scatter", mode: "lines" };
      if (bands) {
        const edge = { ...common, line: { width: 0 }, hoverinfo: "skip", showlegend: false };
        traces.push({ ...edge, y: seen(cell.error.low) });
        traces.push({ ...edge, y: seen(cell.error.high), fill: "tonexty", fillcolor: cell.color + "24" });
      }
      traces.push({
        ...common, y: seen(cell.error.middle), name: plain(cell.label), hovertemplate: "%{y:.3~g}",
        line: { color: shade(cell.color), width: 2, dash: dash(cell) },
      });
    });
    const ticks = [];
    for (let e = -6; e < 3; e++) for (const m of [1, 2, 5]) ticks.push(Number(`${m}e${e}`));
    const narrow = find("error-chart").clientWidth < 640;
    Plotly.react("error-chart", traces, layout({
      height: narrow ? 400 + 20 * cells.length : 440, showlegend: true,
      legend: narrow ? { orientation: "h", y: -0.2 } : { tracegroupgap: 0 },
      xaxis: axis({ title: { text: data.timeLabel, standoff: 6 } }),
      yaxis: axis({
        type: "log", range: [low, high].map(Math.log10), title: { text: "error, standard deviations" },
        tickmode: "array", tickvals: ticks, ticktext: ticks.map(String),
      }),
    }), config);
  }

  // Plotly reads some HTML in texts; names come from users' files.
  function plain(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/%\{/g, "% {");
  }
  const fill = (id, names) => find(id).replaceChildren(...names.map((name, i) => new Option(name, i)));

  find("explore").hidden = false;
  fill("fan-cell", data.cells.map((cell) => cell.label));
  fill("fan-trajectory", data.trajectories);
  find("error-bands").checked = data.cells.length < 4;
  find("fan-cell").addEventListener("change", drawFans);
  find("fan-trajectory").addEventListener("change", drawFans);
  find("error-bands").addEventListener("change", drawErrors);
  const redraw = () => { drawFans(); drawErrors(); };
  dark.addEventListener("change", redraw);
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; redraw(); } });
  redraw();
})();
