"""What members agree on: stored per cell, collected into the results, drawn on the page."""

import json
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd
import pytest

from sparsedyn.data import DataError, Scaling, Trajectories, samples
from sparsedyn.equations import THRESHOLD, THRESHOLDS, depends
from sparsedyn.estimators import SparseTimeStepper
from sparsedyn.estimators._checks import variables_of
from sparsedyn.models import MLP
from sparsedyn.plotting.style import render
from sparsedyn.studies.comparison.agreement import (
    MEASURES,
    agreement_arrays,
    agreement_columns,
    ceiling,
    column,
    plant_strengths,
    size_columns,
    spread_over_members,
    structure,
)
from sparsedyn.studies.comparison.document import document
from sparsedyn.studies.comparison.results import rows_of
from sparsedyn.studies.document import Picture
from sparsedyn.systems import simulate

from ..synthetic_study import Made, contents, make_study, stored

SMALL = Made(
    techniques=(("Dense", 1.0, 0.1, 0.0), ("L1", 0.5, 0.1, 0.5)), averages=("none", "swa"), members=3, trajectories=4,
    fans=1, states=2, inputs=1, rows=100, points=10, horizons=(20, 100),
)  # fmt: skip


@pytest.fixture(scope="module")
def duffing() -> Trajectories:
    return simulate("duffing", 3, 400, seed=0)


def untrained(data: Trajectories) -> SparseTimeStepper:
    """An estimator with three linear networks: the truth, the truth and a little more, a dead one."""
    stepper = SparseTimeStepper(hidden=(), members=3)
    keys = jax.random.split(jax.random.key(0), 3)
    models = eqx.filter_vmap(lambda key: MLP(2, 1, (), key=key))(keys)
    weights = np.zeros((3, 3, 2), np.float32)
    weights[:, 1, 0] = weights[:, :, 1] = 1.0
    weights[1, 0, 0] = 0.2
    weights[2] = np.nan
    stepper.models_ = jax.tree.map(np.asarray, eqx.tree_at(lambda m: m.weights, models, (weights,)))
    stepper.scaling_ = Scaling.fit(samples(data))
    stepper.alive_ = np.array([True, True, False])
    stepper.variables_ = variables_of(data)
    return stepper


@pytest.mark.slow
def test_a_cell_keeps_strengths_of_its_members_and_of_the_plant(duffing: Trajectories):
    arrays = agreement_arrays(untrained(duffing), duffing, "duffing")
    strength = arrays["strength"]
    assert strength.shape == (3, 2, 3)
    assert strength.dtype == np.float32
    assert np.isnan(strength[2]).all()
    # A linear network, one standard deviation wide.
    np.testing.assert_allclose(strength[0], [[0, 1, 0], [1, 1, 1]], rtol=0.1)
    np.testing.assert_allclose(arrays["jaccard"], [[1, 0.8, np.nan], [0.8, 1, np.nan], [np.nan] * 3])
    np.testing.assert_array_equal(arrays["structure_true"], [[False, True, False], [True, True, True]])
    found = agreement_columns(arrays, [True, True, False])
    assert found["jaccard"] == pytest.approx(0.8)
    assert found["true_precision"] == pytest.approx(0.9)
    assert found["true_recall"] == 1.0
    assert found["true_jaccard"] == pytest.approx(0.9)
    assert found["jaccard_at_0.3"] == found["true_jaccard_at_0.3"] == 1.0
    # Recorded data have no truth, only members.
    unknown = agreement_arrays(untrained(duffing), duffing)
    assert unknown.keys() == {"strength", "jaccard"}
    columns = agreement_columns(unknown, [True, True, False])
    assert columns["jaccard"] == pytest.approx(0.8)
    assert np.isnan(columns["true_jaccard"])


@pytest.mark.slow
def test_an_estimator_tells_dependence_of_data_it_knows(duffing: Trajectories):
    stepper = untrained(duffing)
    assert stepper.dependence(duffing).shape == stepper.reach().shape == (3, 2, 3)
    with pytest.raises(DataError):
        stepper.dependence(simulate("lorenz63", 1, 20))


@pytest.mark.slow
def test_the_strength_of_a_plant_is_that_of_its_equations(duffing: Trajectories):
    scaling = Scaling.fit(samples(duffing))
    found = plant_strengths("duffing", duffing, scaling)
    velocity = np.concatenate([states[:, 1] for states in duffing.states])
    assert found["strength_true"].dtype == np.float64
    np.testing.assert_allclose(found["strength_true"][0], [0, velocity.std() / scaling.dx_std[0], 0], rtol=0.05)
    # Within a sample the force moves the position, too: by half of what it does to the velocity, times dt.
    force, sampled = found["strength_true"][1, 2] * scaling.dx_std[1], found["strength_sampled"][0, 2]
    assert sampled == pytest.approx(0.5 * duffing.dt * force / scaling.dx_std[0], rel=0.02)
    np.testing.assert_allclose(found["strength_sampled"], found["strength_true"], atol=0.05)


@pytest.mark.slow
def test_the_true_map_of_the_aluminum_cell():
    # So short that some inputs rest all the time.
    data = simulate("aluminum-cell", 1, 100, seed=0)
    found = plant_strengths("aluminum-cell", data, Scaling.identity(8, 5))
    assert not found["strength_true"][:, 11].any()
    balance = [0, 1, 2, 3, 5, 6]
    equations = [balance, [8, 9], [8, 10], [*balance, 8], [9, 11], [*balance, 9, 12], [*balance, 7], [0, 6, 7]]
    expected = np.zeros((8, 13), bool)
    for row, features in enumerate(equations):
        expected[row, features] = True
    np.testing.assert_array_equal(found["structure_true"], expected)


def test_rounding_is_no_structure_and_a_constant_derivative_depends_on_nothing():
    strength = np.array([[1.0, 1e-13, 0.1], [0.0, 0.0, 0.0], [np.nan] * 3])
    np.testing.assert_array_equal(structure(strength), [[True, False, True], [False] * 3, [False] * 3])


def test_every_threshold_has_its_columns_also_where_nothing_is_stored():
    names = {column(measure, t) for measure in MEASURES for t in THRESHOLDS}
    assert {"jaccard", "true_recall", "kappa_at_0.003", "true_precision_at_0.03"} <= names
    assert THRESHOLD in THRESHOLDS
    rng = np.random.default_rng(0)
    full = agreement_columns(
        {"strength": rng.random((4, 2, 3)), "structure_true": rng.random((2, 3)) > 0.5}, [True] * 4
    )
    empty = agreement_columns({}, [True] * 4)
    assert list(full) == list(empty)
    assert set(full) == names
    assert all(np.isnan(value) for value in empty.values())
    dead = agreement_columns(
        {"strength": rng.random((4, 2, 3)), "structure_true": rng.random((2, 3)) > 0.5}, [False] * 4
    )
    assert all(np.isnan(value) for value in dead.values())


def test_sizes_and_spread_are_over_members():
    facts = {"alive": [True, True, False], "weights": 1000, "sparsity": {"small": [0.9, 0.8, 0.0]}}
    assert size_columns(facts) == {"active": 150.0, "active_std": 50.0}
    part = pd.DataFrame(
        {
            "member": [0, 0, 1, 1, 2, 2],
            "rfmse": [0.1, 0.3, 0.2, np.nan, np.nan, np.nan],
            "diverged": [False, False, False, True, True, True],
        }
    )
    assert spread_over_members(part) == pytest.approx(np.std([0.2, 1.6, 3.0]))
    assert np.isnan(spread_over_members(part[part["member"] == 0]))


def with_strengths(directory: Path) -> Path:
    """Add what newer cells store to a synthetic study."""
    rng = np.random.default_rng(3)
    truth = np.array([[0.0, 1.0, 0.0], [1.0, 0.5, 0.01]])
    rows = pd.read_parquet(directory / "results.parquet")
    columns: dict[str, dict[str, Any]] = {}
    for folder in sorted((directory / "cells").iterdir()):
        with np.load(folder / "curves.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        strength = truth * rng.lognormal(0, 0.3, (3, 2, 3)) + rng.exponential(0.05, (3, 2, 3))
        arrays |= {"strength": strength, "structure_true": truth > 0, "strength_sampled": truth + 1e-4}
        np.savez(folder / "curves.npz", **arrays)
        card = json.loads((folder / "cell.json").read_text())
        columns[card["label"]] = {
            **agreement_columns(arrays, card["alive"]),
            "active": 100.0,
            "rfmse_spread": 0.1 + rng.random(),
        }
    added = pd.DataFrame([columns[cell] for cell in rows["cell"]], index=rows.index)
    rows.join(added).to_parquet(directory / "results.parquet", index=False)
    return directory


def drawn(directory: Path) -> dict[str, Picture]:
    return {picture.name: picture for picture in document(stored(directory)).pictures()}


def test_older_folders_are_drawn_as_before_and_give_nan(tmp_path: Path):
    study = make_study(tmp_path / "old", SMALL)
    found = drawn(study)
    assert "agreement" not in found
    assert "nonzero weights" in found["input-output"].caption
    folder = next((study / "cells").iterdir())
    card = json.loads((folder / "cell.json").read_text())
    (folder / "cell.json").write_text(json.dumps(card | {"sparsity": {"small": [0.5, 0.5, 0.5]}}))
    cell = next(cell for cell in stored(study).cells if cell.slug == folder.name)
    row = rows_of(cell)[0]
    assert np.isnan(row["jaccard"])
    assert np.isnan(row["true_jaccard_at_0.3"])
    assert row["active"] == card["weights"] // 2
    assert row["rfmse_spread"] > 0
    assert np.isnan(rows_of(cell._replace(arrays={}))[0]["jaccard"])


@pytest.mark.slow
@pytest.mark.parametrize("train", [(40,), (2, 40)])
def test_agreement_is_drawn_by_cell_or_by_training_size(tmp_path: Path, train: tuple[int, ...]):
    made = Made(**{**SMALL.__dict__, "train": train})
    found = drawn(with_strengths(make_study(tmp_path / "new", made)))
    picture = found["agreement"]
    assert picture.alt.startswith("Line charts" if len(train) > 1 else "Dot plots")
    assert f"{THRESHOLD:g}" in picture.caption
    figure = picture.draw()
    titles = [ax.get_title(loc="left").split(":")[0] for ax in figure.axes]
    assert titles == ["Members with each other", "The same beyond chance", "Members with the plant", "Size",
                      "Spread over members"]  # fmt: skip
    assert render(figure, "png", "pdf") == render(picture.draw(), "png", "pdf")


def test_maps_show_strength_and_frame_the_truth(tmp_path: Path):
    study = with_strengths(make_study(tmp_path / "new", SMALL))
    picture = drawn(study)["input-output"]
    assert "Framed" in picture.caption
    figure = picture.draw()
    shown = contents(study)
    first = next(iter(shown.cells.values()))
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), depends(first.arrays["strength"]).mean(axis=0))
    # The truth has four entries.
    assert [len(ax.patches) for ax in figure.axes[:4]] == [4] * 4
    assert ceiling(first.arrays) == pytest.approx(3 / 4)
    assert "0.75 with the plant" in drawn(study)["agreement"].caption
