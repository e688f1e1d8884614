"""`sparsedyn sindy` and `sparsedyn equations`: what is printed, kept and forecast, and every way to ask wrongly."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import load
from sparsedyn.cli import sindy_options
from sparsedyn.cli.errors import UsageProblem
from sparsedyn.cli.sindy_terms import known_of, restrictions_of, threshold_of
from sparsedyn.data import DERIVATIVES
from sparsedyn.estimators.sindy import _settings

COLUMNS = ("--states", "x,v", "--inputs", "f", "--time", "t", "--trajectory", "run")
QUICK = ("--degree", 1, "--threshold", 0.05, "--no-refine")


@pytest.fixture(scope="module")
def swing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six runs of a damped oscillator under a force that is held, with its true derivatives and a constant column."""
    rng = np.random.default_rng(0)
    dt, parts = 0.1, []
    a = np.array([[0.0, 1.0, 0.0], [-4.0, -0.3, 2.0], [0.0, 0.0, 0.0]])
    values, vectors = np.linalg.eig(a)
    step = (vectors @ np.diag(np.exp(values * dt)) @ np.linalg.inv(vectors)).real
    for run in range(6):
        z, f = rng.normal(size=2), np.repeat(rng.normal(size=12), 5)
        for k, force in enumerate(f):
            full = np.array([*z, force])
            parts.append((run, k * dt, *full, *(a @ full)[:2]))
            z = (step @ full)[:2]
    path = tmp_path_factory.mktemp("swing") / "swing.csv"
    pd.DataFrame(parts, columns=["run", "t", "x", "v", "f", "dx", "dv"]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def found(run, swing: Path):
    """What a fit with --json, --hold-out and -o printed, and its file."""
    path = swing.with_name("swing.safetensors")
    result = run("sindy", swing, *COLUMNS, *QUICK, "--hold-out", 0.2, "--json", "-o", path)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout), path


def test_equations_coefficients_and_scores(found):
    facts, path = found
    assert facts["model"] == str(path)
    assert facts["coefficients"]["x"] == pytest.approx({"v": 1.0}, rel=1e-6)
    assert facts["coefficients"]["v"] == pytest.approx({"x": -4.0, "v": -0.3, "f": 2.0}, rel=1e-6)
    assert (facts["nonzeros"], facts["terms"], facts["inputs_between"], facts["time"]) == (4, 8, "held", "continuous")
    assert facts["equations"][0].startswith("dx/dt = ")
    assert facts["held_out"]["kind"] == "trajectories"
    # Derivatives of rows between which the force jumps are estimated, not exact.
    assert facts["held_out"]["r2"] > 0.95
    assert facts["held_out"]["rmse"]["x"] < 1e-6
    assert facts["rows"] == 300


def test_the_file_is_a_model_like_any_other(run, found, swing: Path):
    facts, path = found
    assert load(path).statements()[1].text(17) == facts["equations"][1]
    shown = json.loads(run("info", path, "--json").stdout)
    assert (shown["kind"], len(shown["equations"]), shown["nonzeros"]) == ("SINDy", 2, 4)
    result = run("forecast", path, swing, "--horizons", "30", "--json")
    assert result.exit_code == 0, result.stderr
    forecast = json.loads(result.stdout)
    assert forecast["rmse"]["x"] < 1e-6
    assert forecast["weights"] is None
    assert "2 equations and 4 nonzero coefficients" in run("forecast", path, swing, "--horizons", "30").stdout


def test_an_input_that_stays_the_same_needs_no_column(run, found, swing: Path):
    _, path = found
    frame = pd.read_csv(swing)
    frame[frame["run"] == 0].head(20).assign(f=0.5).drop(columns="f").to_csv(swing.with_name("free.csv"), index=False)
    result = run("forecast", path, swing.with_name("free.csv"), "--inputs", "f=0.5", "--json", "--quiet")
    assert result.exit_code == 0, result.stderr
    still = run("forecast", path, swing.with_name("free.csv"), "--inputs", "f=-7", "--json", "--quiet")
    assert json.loads(result.stdout)["rmse"]["v"] < json.loads(still.stdout)["rmse"]["v"]


def test_printed_equations(run, found):
    _, path = found
    result = run("equations", path, "--digits", 3)
    assert result.stdout.splitlines() == ["dx/dt = v", "dv/dt = 2*f - 0.3*v - 4*x"]
    assert r"\frac{d x}{dt} = v" in run("equations", path, "--latex", "--digits", 3).stdout
    facts = json.loads(run("equations", path, "--json").stdout)
    assert (facts["kind"], len(facts["equations"]), len(facts["latex"])) == ("SINDy", 2, 2)


def test_equations_of_networks_are_refused_and_those_of_tables_are_not(run, model):
    result = run("equations", model)
    assert result.exit_code == 3
    assert "sparsedyn sindy" in result.stderr
    stored = Path(__file__).parents[1] / "estimators" / "stored"
    assert run("equations", stored / "regressor.model").stdout.startswith("y = ")
    assert run("equations", stored / "learner.model").stdout.startswith("dprey/dt = ")


def test_measured_derivatives_and_what_is_known(run, swing: Path):
    rules = ("--fix", "x: v = 1", "--bound", "v: v <= 0", "--exclude", "x: x, f, 1", "--terms", "v: x, v, f")
    result = run("sindy", swing, *COLUMNS, "--degree", 1, "--x-dot", "dx,dv", *rules, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["coefficients"]["v"] == pytest.approx({"x": -4.0, "v": -0.3, "f": 2.0})
    result = run("sindy", swing, *COLUMNS, *QUICK, "--known", "v = -4*x", "--json")
    assert set(json.loads(result.stdout)["coefficients"]["v"]) == {"v", "f"}


def test_maps_need_no_times(run, tmp_path: Path):
    n = [0.3]
    for _ in range(60):
        n.append(3.7 * n[-1] * (1 - n[-1]))
    pd.DataFrame({"n": n}).to_csv(tmp_path / "n.csv", index=False)
    result = run("sindy", tmp_path / "n.csv", "--states", "n", "--discrete", "-o", tmp_path / "n.safetensors")
    assert result.exit_code == 0, result.stderr
    assert "n[k+1] = -3.7*n[k]**2 + 3.7*n[k]" in result.stdout
    assert r"n[k+1] = " in run("equations", tmp_path / "n.safetensors", "--latex").stdout


def test_lags_make_up_for_a_velocity_that_is_not_measured(run, swing: Path, tmp_path: Path):
    path = tmp_path / "lags.safetensors"
    options = ("--states", "x", "--inputs", "f", "--time", "t", "--trajectory", "run", "--degree", 1, "--discrete")
    result = run("sindy", swing, *options, "--lags", 1, "--hold-out", 0.2, "--json", "-o", path)
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert set(facts["coefficients"]["x"]) == {"x", "x[k-1]", "f", "f[k-1]"}
    assert (facts["lags"], facts["dead_times"], facts["held_out"]["horizons"]) == (1, {"f": 0}, [58])
    assert facts["held_out"]["rmse"]["x"] < 1e-6
    facts = json.loads(run("forecast", path, swing, "--warmup", 5, "--json").stdout)
    assert (facts["warmup"], facts["horizons"]) == (5, [55])
    assert run("sindy", swing, *COLUMNS, "--lags", 1).exit_code == 2


def test_what_the_checks_find_is_said_and_in_the_json(run, swing: Path):
    result = run("sindy", swing, *COLUMNS, "--degree", 1, "--threshold", 100, "--json")
    assert "no term is left" in result.stderr
    assert "empty-equation" in {finding["check"] for finding in json.loads(result.stdout)["report"]}
    assert run("sindy", swing, *COLUMNS, "--degree", 1, "--threshold", 100, "--quiet").stderr == ""


BAD = {
    "threshold": (("--threshold", "big"), "--threshold"),
    "function": (("--functions", "sin,sni"), "sin"),
    "derivative": (("--derivative", "splines"), "'spline'"),
    "between": (("--inputs-between", "linear"), "--inputs-between"),
    "derivatives of other states": (("--x-dot", "dx"), "2 states"),
    "map of second order": (("--discrete", "--order", "2"), "--order 2"),
    "bound": (("--bound", "v: v"), "--bound"),
    "fix": (("--fix", "v = 1"), "--fix"),
    "known": (("--known", "v"), "--known"),
    "unknown term": (("--exclude", "x: w"), "'w'"),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_usage(run, swing: Path, case: str):
    options, words = BAD[case]
    result = run("sindy", swing, *COLUMNS, *options)
    assert result.exit_code == 2, result.stderr
    assert words in result.stderr


def test_a_column_that_is_missing(run, swing: Path):
    result = run("sindy", swing, "--states", "x,w", "--time", "t")
    assert result.exit_code == 3
    assert "'w'" in result.stderr


def test_what_options_stand_for():
    assert (threshold_of("auto"), threshold_of("0.1"), threshold_of("0.1,2")) == ("auto", 0.1, [0.1, 2.0])
    assert known_of(["v = -2*sin(x)"]) == {"v": "-2*sin(x)"}
    assert restrictions_of(
        ["x: v = 1e-3"], ["v: v <= 0", "v: u >= -2.5", "x: -1 <= x^2 <= 1", "x: 0 <= u"], ["x: 1, x v"], ["v: v"]
    ) == {
        "fixed": {("v", "x"): 1e-3},
        "bounds": {
            ("v", "v"): (None, 0.0),
            ("u", "v"): (-2.5, None),
            ("x^2", "x"): (-1.0, 1.0),
            ("u", "x"): (0.0, None),
        },
        "exclude": [("1", "x"), ("x v", "x")],
        "only": {"v": ["v"]},
    }
    with pytest.raises(UsageProblem, match="--bound"):
        restrictions_of(None, ["v: v < 0"], None, None)


def test_names_that_are_checked_before_jax_is_imported_are_those_of_the_library():
    assert ("auto", *DERIVATIVES) == sindy_options.DERIVATIVES
    assert ("auto", *_settings.INPUTS) == sindy_options.BETWEEN
    assert _settings.SCALES == sindy_options.SCALES
