"""`sparsedyn fit --outputs` and the forecasts of its models."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import L1
from sparsedyn.cli.errors import UsageProblem
from sparsedyn.cli.fit_outputs import check_options, network_of
from sparsedyn.estimators import load
from sparsedyn.estimators.state_space import _search, _settings


@pytest.fixture(scope="module")
def circuit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lag of first order, with no column of times."""
    rng = np.random.default_rng(0)
    u = np.repeat(rng.uniform(-1, 1, 20), 6)
    z, states = 0.0, []
    for value in u:
        states.append(z)
        z = 0.9 * z + 0.2 * value
    path = tmp_path_factory.mktemp("circuit") / "circuit.csv"
    pd.DataFrame({"u": u, "y": 2 * np.asarray(states) + 1}).to_csv(path, index=False)
    return path


def test_defaults_do(run, circuit: Path, monkeypatch: pytest.MonkeyPatch):
    # The search itself has tests of its own; here a small one will do.
    monkeypatch.setattr(_settings, "FAMILIES", {})
    monkeypatch.setattr(_search, "MOST_STATES", 1)
    model = circuit.with_name("model.safetensors")
    result = run("fit", circuit, "--outputs", "y", "--inputs", "u", "-o", model, "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert (facts["outputs"], facts["inputs"], facts["dt"], facts["states"]) == (["y"], ["u"], 1.0, 1)
    assert load(model).state_names_ == ("y",)
    result = run("forecast", model, circuit, "--warmup", "5", "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert facts["warmup"] == 5
    assert facts["rmse"]["y"] < 1e-4
    assert facts["horizons"] == [100, 115]
    assert "z1[k+1]" in run("info", model).stdout


def test_bands_are_calibrated_on_rows_that_the_model_was_not_fitted_to(
    run, circuit: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_settings, "FAMILIES", {})
    monkeypatch.setattr(_search, "MOST_STATES", 1)
    model = circuit.with_name("bands.safetensors")
    result = run(
        "fit", circuit, "--outputs", "y", "--inputs", "u", "-o", model, "--calibrate", "--coverage", 0.5, "--json"
    )
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["bands"] == {"coverage": 0.5, "trajectories": 1, "rows": 24, "cut": False}
    # The warm-up is that of calibration, or there would be no bands.
    facts = json.loads(run("forecast", model, circuit, "--json").stdout)
    assert (facts["warmup"], facts["bands"]["rows"], facts["bands"]["horizon"]) == (2, 22, [22])


@pytest.mark.parametrize(
    "options", [("--states", "y"), ("--hidden", "8,8"), ("--members", "2"), ("--no-skip",), ("--technique", "l7")]
)
def test_options_of_networks_are_refused(run, circuit: Path, options: tuple[str, ...]):
    result = run("fit", circuit, "--outputs", "y", "--inputs", "u", "-o", circuit.with_name("other"), *options)
    assert result.exit_code == 2
    assert options[0].removeprefix("--no-").removeprefix("--") in result.stderr


def test_a_warm_up_needs_latent_states(run, model, table):
    result = run("forecast", model, table, "--warmup", "5")
    assert result.exit_code == 2
    assert "latent states" in result.stderr


def test_columns_that_are_missing_are_named(run, circuit: Path):
    result = run("fit", circuit, "--outputs", "volts", "--inputs", "u", "-o", circuit.with_name("other"))
    assert result.exit_code != 0
    assert "volts" in result.stderr


def test_options_of_measured_states_are_refused():
    with pytest.raises(UsageProblem, match="--states: expected it without --outputs"):
        check_options(states="volts")


def test_a_width_or_a_technique_asks_for_a_network():
    assert network_of("64,64,64", None) == {}
    found = network_of("16", ["l1:1e-3"])
    assert found == {"units": "network", "nonlinear_units": 16, "technique": [L1(1e-3)]}
    assert network_of("64,64,64", ["none"]) == {"units": "network", "technique": []}
    with pytest.raises(UsageProblem, match="--hidden: expected one width with --outputs, such as 32; got '32,32'"):
        network_of("32,32", None)
