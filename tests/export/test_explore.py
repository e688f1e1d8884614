"""The page on which a model runs: what its scripts compute is what `simulate` gives, and nothing in a name acts."""

import base64
import hashlib
import json
import re
import subprocess
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparsedyn import DataError, SINDy, Trajectories, export
from sparsedyn.estimators._checks import Variables

from .made import MODELS, NAMES, exact, sindy, state_space, stepper

ROWS = 40
FAMILIES = ("sindy", "sindy map", "lags")
COMPILED = ("map", "known", "state space", "learner")
"""Of `MODELS`; an ensemble has a test of its own. Simulations of the latter are compiled first."""


def data_of(model: Any, count: int = 2, rows: int = ROWS) -> Trajectories:
    """Trajectories near the training data of a model; inputs change every eighth row."""
    rng, known = np.random.default_rng(0), model.variables_
    scaling = getattr(model, "statistics_", None) or model.scaling_
    steps = rng.uniform(-1, 1, (count, rows // 8, len(known.input_names))).repeat(8, axis=1)
    return Trajectories(
        scaling.x_mean + scaling.x_std * rng.uniform(-0.5, 0.5, (count, rows, len(known.state_names))),
        scaling.u_mean + scaling.u_std * steps if known.input_names else None,
        dt=known.dt, state_names=known.state_names, input_names=known.input_names or None,
        labels=["a", "b"] if count == 2 else None,
    )  # fmt: skip


def parts(page: str) -> tuple[dict[str, Any], str]:
    """The facts of a page, and its script up to the members."""
    facts = json.loads(re.search(r'<script type="application/json" id="facts">(.*?)</script>', page)[1])
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)[1]
    return facts, re.search(r'^"use strict";\n(.*?^const members = \[.*?\];)$', script, re.DOTALL | re.MULTILINE)[1]


def source(name: str) -> str:
    """A script of the page."""
    return files("sparsedyn.export.whatif").joinpath(name).read_text(encoding="utf-8")


def in_node(node: str, folder: Path, code: str) -> Any:
    """What a script prints as JSON; what is not finite is null."""
    (folder / "page.js").write_text(code)
    done = subprocess.run([node, folder / "page.js"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


RUN = """
const facts = FACTS;
const finish = steps => { let at; do at = steps.next(); while (!at.done); return at.value; };
const record = facts.trajectories[1];
const scenario = { rows: ROWS, start: record.start.map(one => one.map((v, i) => v + SHIFT[i])) };
scenario.inputs = record.inputs.map(column => unpacked(column, record.rows)).map(v => v.map(x => x + INPUT));
const runs = members.map(member => finish(simulated(facts, member, scenario)));
const made = summarized(runs, 0.16);
const band = banded(facts.calibration, made);
const lists = values => values.map(one => Array.from(one));
const recorded = record.recorded.map(column => Array.from(unpacked(column, record.rows)));
console.log(JSON.stringify({ runs: runs.map(lists), middle: lists(made.middle), recorded, start: scenario.start,
  band: band && [lists(band.lower), lists(band.upper)], inputs: lists(scenario.inputs),
  outside: facts.shown.map((one, i) => Array.from(outside(made.middle[i], one.near))),
  "inputs outside": facts.inputs.map((one, i) => Array.from(outside(scenario.inputs[i], one.near))) }));
"""


def run(model: Any, data: Trajectories, node: str, folder: Path, **numbers: float) -> dict[str, Any]:
    """What the scripts of a page make of its second trajectory, its start and inputs shifted."""
    facts, members = parts(export.explore(model, data))
    shift = [numbers.get("start", 0.0)] * len(facts["own"])
    code = "\n".join([members, source("simulate.js"), RUN]).replace("FACTS", json.dumps(facts))
    for word, value in (("SHIFT", shift), ("INPUT", numbers.get("inputs", 0.0)), ("ROWS", ROWS)):
        code = code.replace(word, json.dumps(value))
    return in_node(node, folder, code)


@pytest.mark.parametrize("name", [*FAMILIES, *(pytest.param(name, marks=pytest.mark.slow) for name in COMPILED)])
def test_a_scenario_is_what_simulate_gives(name: str, node: str, tmp_path: Path):
    model = exact(MODELS[name]())
    data = data_of(model)
    found = run(model, data, node, tmp_path, start=0.01, inputs=0.02)
    np.testing.assert_allclose(np.transpose(found["recorded"]), data.states[1], rtol=1e-9)
    inputs = data.inputs[1] + 0.02
    further = {"latent": True} if name == "state space" else {}
    start = np.asarray(found["start"]) if name == "lags" else np.asarray(found["start"])[0]
    if name != "state space":
        np.testing.assert_allclose(start, data.states[1][: len(found["start"])].reshape(start.shape) + 0.01, rtol=1e-12)
    expected = np.asarray(model.simulate(start, ROWS, inputs if data.input_names else None, **further))
    runs = np.asarray(found["runs"]).transpose(0, 2, 1)
    np.testing.assert_allclose(runs, expected.reshape(runs.shape), rtol=1e-6)


@pytest.mark.slow
def test_equations_of_second_order_begin_with_velocities(node: str, tmp_path: Path):
    time = 0.1 * np.arange(ROWS)
    swing = [np.cos(1.3 * time + shift)[:, None] for shift in (0.0, 0.7)]
    data = Trajectories(swing, dt=0.1, state_names=["angle"])
    model = SINDy(1, order=2).fit(data)
    found = run(model, data, node, tmp_path)
    assert len(found["start"][0]) == 2
    np.testing.assert_allclose(np.transpose(found["recorded"]), data.states[1], rtol=1e-9)
    expected = np.asarray(model.simulate(np.asarray(found["start"])[0], ROWS))
    runs = np.asarray(found["runs"])[0].T
    np.testing.assert_allclose(runs, expected[:, : runs.shape[1]], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found["middle"][0], model.forecast(data).predicted[0, 1, :, 0], rtol=1e-6, atol=1e-9)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*beyond the range of training:sparsedyn.SparsedynWarning")
def test_latent_states_begin_as_in_a_forecast(node: str, tmp_path: Path):
    model = state_space()
    data = data_of(model)
    found = run(model, data, node, tmp_path)
    expected = model.forecast(data).predicted[0, 1]
    np.testing.assert_allclose(np.transpose(found["middle"]), expected, rtol=1e-6)


def test_members_bands_and_trust_are_those_of_the_forecast(node: str, tmp_path: Path):
    model = exact(stepper(members=3))
    data = data_of(model, 10)
    model.calibrate(data, check_units=False)
    # Half of the rows of these are further off than calibrated ones are, the others near.
    far = Trajectories(
        [x + 0.8 for x in data.states], data.inputs, dt=data.dt, state_names=data.state_names,
        input_names=data.input_names,
    )  # fmt: skip
    forecast = model.forecast(far, check_units=False)
    bands = forecast.bands().isel(trajectory=1)
    found = run(model, data, node, tmp_path, start=0.8)
    np.testing.assert_allclose(np.asarray(found["runs"]).transpose(0, 2, 1), forecast.predicted[:, 1], rtol=1e-6)
    np.testing.assert_allclose(np.transpose(found["middle"]), bands["middle"], rtol=1e-6)
    for i, side in enumerate(("lower", "upper")):
        np.testing.assert_allclose(np.transpose(found["band"][i]), bands[side], rtol=1e-6)
    trusted = ~np.any(np.asarray(found["outside"] + found["inputs outside"], bool), axis=0)
    np.testing.assert_array_equal(trusted, bands["trust"])
    assert 0 < trusted.sum() < ROWS


def test_the_training_domain_is_the_range_of_the_data():
    model = sindy(
        1, time="discrete", c1_0=0.9, names=NAMES._replace(state_ranges=((0, 1), (2, 3)), input_ranges=((4, 5),))
    )
    facts, _ = parts(export.explore(model, data_of(model)))
    assert [one["near"] for one in facts["shown"] + facts["inputs"]] == [[0, 1], [2, 3], [4, 5]]
    without, _ = parts(export.explore(sindy(1, time="discrete", c1_0=0.9), data_of(model)))
    np.testing.assert_allclose(without["shown"][1]["near"], [0.8 - 3 * 0.2, 0.8 + 3 * 0.2])
    assert facts["domain"] != without["domain"]


STATES = ('</script><script>alert(1)</script>"', "<img src=x onerror=alert(1)>")
INPUT = "=HYPERLINK('x')"


class Seen(HTMLParser):
    """The elements and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def hostile() -> tuple[Any, Trajectories]:
    """A model and data whose names, units and labels are markup."""
    names = Variables(STATES, (INPUT,), ("</style>", "*/"), ("-->",), 0.1)
    data = Trajectories(
        np.ones((1, 5, 2)), np.ones((1, 5, 1)), dt=0.1, state_names=STATES, input_names=[INPUT], labels=["<b>"]
    )
    return sindy(c1_0=-0.5, c2_1=-0.6, c3_0=0.7, names=names), data


def test_nothing_in_a_name_acts(node: str, tmp_path: Path):
    model, data = hostile()
    page = export.explore(model, data, title="</title><script>alert(2)</script>", check_units=False)
    seen = Seen()
    seen.feed(page)
    assert seen.tags.count("script") == 2
    assert "img" not in seen.tags
    assert "b" not in seen.tags
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert "What if: </title><script>alert(2)</script>" in "".join(seen.texts)
    # In equations names are text, in facts they are what they were.
    assert seen.tags.count("math") == 2
    assert all(name in seen.texts for name in (*STATES, INPUT))
    assert [one["name"] for one in parts(page)[0]["shown"]] == list(STATES)
    # Nothing but what is known by its hash may run.
    script = re.search(r"<script>(.*)</script>\n</body>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert set(re.findall(r"https?://[^\s\"']*", page)) == {"http://www.w3.org/2000/svg"}
    cells = ["=1", "+1", "-1", "@a", "\tb", 'a"b', "a,b", "a"]
    code = source("csv.js") + f"console.log(JSON.stringify({json.dumps(cells)}.map(cell)));"
    assert in_node(node, tmp_path, code) == ["'=1", "'+1", "'-1", "'@a", "'\tb", '"a""b"', '"a,b"', "a"]


def test_columns_that_seldom_change_are_short():
    model = sindy(1, time="discrete", c1_0=0.9)
    facts, _ = parts(export.explore(model, data_of(model)))
    assert facts["trajectories"][0]["inputs"][0]["at"] == [0, 8, 16, 24, 32]
    assert len(facts["trajectories"][0]["recorded"][0]) == ROWS


def test_what_cannot_be_explored_is_said():
    data = data_of(stepper())
    with pytest.raises(TypeError, match=r"SparseStateSpace; got EquationRegressor, which says nothing of the next row"):
        export.explore(MODELS["regressor"](), data)
    model = sindy(c1_0=-0.5)
    other = Trajectories(data.states, data.inputs, dt=0.3, state_names=NAMES.state_names, input_names=NAMES.input_names)
    with pytest.raises(DataError, match=r"sample time of training, 0\.1 s, .* got 0\.3 s\. Resample them"):
        export.explore(model, other, check_units=False)
