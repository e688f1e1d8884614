"""Training on arrays in files: the same weights as in memory, and what has to be in memory is refused if it is not."""

from pathlib import Path
from typing import Any

import pytest

from sparsedyn import DSR, L1, MagnitudePruning, SINDy, SparseTimeStepper, Trajectories, _memory
from sparsedyn.data import DataError, read, write
from sparsedyn.estimators import fit_together
from sparsedyn.training.native import plan

from .conftest import lotka_volterra

SMALL: dict[str, Any] = {"hidden": (8,), "members": 2, "epochs": 3, "batch": 16, "activation": "tanh"}
FITS: dict[str, dict[str, Any]] = {
    "pruned": {"technique": [L1(1e-4), MagnitudePruning(0.5)], "average": "ema"},
    "regrown": {"technique": [DSR(0.5)]},
    "orders of their own": {"shuffle": "member"},
    "maps, partly known": {"time": "discrete", "known": {"prey": "-harvest*prey"}},
}


def fitted(data: Trajectories, validation: Trajectories | None = None, **settings: Any) -> SparseTimeStepper:
    """Fit without a word of what the checks find: these networks are trained for a moment."""
    stepper = SparseTimeStepper(**SMALL | settings)
    fit_together([stepper], data, validation)
    return stepper


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for number in range(3):
        write(lotka_volterra(2, 40, seed=number), tmp_path / "files" / f"day-{number}.parquet")
    return tmp_path / "files"


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("compiled", [True, False])
def test_weights_are_those_of_training_in_memory(
    files: Path, tmp_path: Path, world: Any, name: str, compiled: bool, monkeypatch: pytest.MonkeyPatch
):
    if not compiled:
        monkeypatch.setattr(plan, "_compiled", lambda: None)
    fits = []
    for stream in (None, tmp_path / "arrays"):
        fits.append(fitted(*read(files, stream=stream).split(5, 1, 0, seed=0), **FITS[name]))
    one, other = fits
    assert one.compiled_steps_ == other.compiled_steps_ == compiled
    assert world.same(one.models_, other.models_)
    assert one.history_.equals(other.history_)
    assert one.report_ == other.report_
    # Nothing is left beside the arrays.
    assert sorted(path.name for path in (tmp_path / "arrays").iterdir()) == [
        "arrays.json", "inputs.npy", "states.npy", "time.npy",
    ]  # fmt: skip


def test_a_run_that_began_in_memory_goes_on_from_files(files: Path, tmp_path: Path, world: Any):
    def stop(progress: Any) -> None:
        if progress.step > 10:
            raise KeyboardInterrupt

    stepper, checkpoint = SparseTimeStepper(**SMALL), tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit_together([stepper], read(files), on_progress=stop, checkpoint=checkpoint)
    fit_together([stepper], read(files, stream=tmp_path / "arrays"), checkpoint=checkpoint)
    assert world.same(stepper.models_, fitted(read(files)).models_)


@pytest.fixture
def streamed(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trajectories:
    data = read(files, stream=tmp_path / "arrays")
    monkeypatch.setenv(_memory.VARIABLE, "5 kB")
    return data


@pytest.mark.parametrize("settings", [{"rollout": 3}, {"derivative": "central"}])
def test_what_needs_all_rows_is_refused_beyond_the_budget(streamed: Trajectories, settings: dict[str, Any]):
    with pytest.raises(DataError, match="made with rollout=1, derivative='forward' and no x_dot"):
        SparseTimeStepper(**SMALL | settings).fit(streamed)


def test_other_models_say_who_takes_more(streamed: Trajectories):
    with pytest.raises(DataError, match="SparseTimeStepper takes larger data in parts"):
        SINDy().fit(streamed)


def test_forecasts_of_validation_data_have_to_fit(streamed: Trajectories):
    stepper = SparseTimeStepper(**SMALL | {"hidden": (2,)})
    with pytest.raises(DataError, match=r"2 members that fit into memory; these are of 1 trajectories of up to 40"):
        stepper.fit(streamed[:5], streamed[5:])


def test_data_beyond_the_budget_are_trained_on(
    files: Path, tmp_path: Path, world: Any, monkeypatch: pytest.MonkeyPatch
):
    whole = fitted(read(files), hidden=(2,))
    data = read(files, stream=tmp_path / "arrays")
    assert sum(array.nbytes for array in (*data.states, *data.inputs)) > 5000
    monkeypatch.setenv(_memory.VARIABLE, "5 kB")
    assert world.same(fitted(data, hidden=(2,)).models_, whole.models_)
