"""SINDyAutoencoder: its contract, on a training far too short to find anything."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import sympy
import xarray as xr
from sklearn.base import clone

import sparsedyn
from sparsedyn import DataError, SINDyAutoencoder
from sparsedyn.data import Snapshots
from sparsedyn.equations import compiled
from sparsedyn.equations.coordinates import Affine
from sparsedyn.estimators._inputs import snapshots_of
from sparsedyn.estimators.autoencoder import Phase, Recipe
from sparsedyn.estimators.autoencoder._jets import jet_of
from sparsedyn.estimators.autoencoder._judging import ranking
from sparsedyn.estimators.autoencoder._members import drawn, member, stacked, with_coefficients
from sparsedyn.estimators.autoencoder._reduction import reduction_of
from sparsedyn.estimators.autoencoder._simulation import simulated
from sparsedyn.estimators.autoencoder._terms import absorbed
from sparsedyn.models import Library
from sparsedyn.systems import lifted_lorenz
from sparsedyn.training import Checkpoint, LatentDynamics

# Trainings are short here, and say so.
pytestmark = pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")

SEARCH = LatentDynamics(sparsity=1e-3, spread=1e-3, bending=1e-2)
SHORT = Recipe(
    (
        Phase(SEARCH, 30, (3e-3, 1e-3), thresholds=((0.5, 0.02),)),
        Phase(replace(SEARCH, sparsity=0.0), 20, (1e-3, 1e-4), thresholds=((0.0, 0.02),), select_terms=True),
    )
)
"""Two phases of a few steps."""
ONE_PHASE = Recipe(SHORT.phases[:1])
"""Without the search for terms, which takes longer than the training."""


def quick(**changes: object) -> SINDyAutoencoder:
    """One of the shapes of `fitted`, so that its training is compiled once."""
    return SINDyAutoencoder(**{"members": 2, "widths": (8,), "recipe": ONE_PHASE, "seed": 3} | changes)


@pytest.fixture(scope="module")
def data() -> Snapshots:
    return lifted_lorenz(10, seed=0, steps=60)


@pytest.fixture(scope="module")
def fitted(data: Snapshots, hasty_coordinates: None) -> SINDyAutoencoder:
    return quick(recipe=SHORT).fit(data)


@pytest.mark.slow
def test_what_is_fitted_has_the_shapes_that_it_says(data: Snapshots, fitted: SINDyAutoencoder):
    assert fitted.coordinates_.basis.shape == (128, 6)
    assert fitted.coordinates_.truncation < 1e-8
    z = fitted.encode(data.x)
    assert z.shape == (10, 60, 3)
    assert fitted.decode(z).shape == data.x.shape
    table = fitted.coefficients()
    assert table.shape == (20, 3)
    assert list(table.columns) == ["z1", "z2", "z3"]
    assert fitted.best in (0, 1)
    assert set(fitted.ranking_["member"]) == {0, 1}
    assert fitted.simulate(data.x[0, 0], np.arange(30) * data.dt).shape == (30, 128)
    assert fitted.simulate(data.x[:, 0], np.arange(5) * data.dt).shape == (10, 5, 128)
    counted = fitted.simulate(data.x[0, 0], 5)
    xr.testing.assert_identical(counted, fitted.simulate(data.x[0, 0], np.arange(5) * data.dt))
    assert fitted.simulate(data.x[0, 0], 1).shape == (1, 128)


def test_coefficients_begin_as_they_are_given():
    library, keys = Library(2, 2), jax.random.split(jax.random.key(0), 3)
    given = np.zeros((6, 2))
    given[1, 0], given[2, 1] = -1.0, 2.0
    made = drawn(4, library, 1, (5,), Recipe((), start=given), keys)
    np.testing.assert_array_equal(made.coefficients, np.broadcast_to(given, (3, 6, 2)))
    ones = drawn(4, library, 1, (5,), Recipe(()), keys)
    np.testing.assert_array_equal(ones.coefficients, np.ones((3, 6, 2)))
    normal = drawn(4, library, 1, (5,), Recipe((), start="normal"), keys)
    assert 0.5 < np.std(normal.coefficients) < 2
    with pytest.raises(ValueError, match=r"coefficients \(term, latent\) = \(6, 2\); got shape \(2, 6\)"):
        drawn(4, library, 1, (5,), Recipe((), start=given.T), keys)
    with pytest.raises(ValueError, match="start: expected a number, 'normal', 'glorot' or coefficients; got 'nromal'"):
        drawn(4, library, 1, (5,), Recipe((), start="nromal"), keys)


@pytest.mark.slow
def test_what_is_written_is_what_is_simulated(fitted: SINDyAutoencoder):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(20, 3))
    for index in (0, 1):
        written = compiled(fitted.equations(index), fitted.latent_names_)(states)
        model = fitted.member(index)
        predicted = np.stack([model(jnp.asarray(z, jnp.float32), jnp.zeros(0)) for z in states])
        # Terms of an untrained equation cancel: float32 rounds each of them.
        size = np.abs(fitted.library_.evaluate(states)) @ np.abs(fitted.coefficients(index).to_numpy())
        assert (np.abs(written - predicted) <= 1e-6 * size).all()


@pytest.mark.slow
def test_scores_are_relative_squared_errors(data: Snapshots, fitted: SINDyAutoencoder):
    score = fitted.evaluate(data.x, data.dt, data.x_dot)
    assert list(score.index) == ["decoder", "derivative", "latent", "terms"]
    x = data.x.astype(np.float64)
    by_hand = np.square(fitted.decode(fitted.encode(x)) - x).sum() / np.square(x).sum()
    assert score["decoder"] == pytest.approx(by_hand, rel=1e-3)
    assert score["terms"] == np.count_nonzero(fitted.coefficients())
    assert fitted.score(data) == pytest.approx(1 - score["derivative"])
    missed = fitted.predict(data.x) - data.x_dot
    assert score["derivative"] == pytest.approx(np.square(missed).sum() / np.square(data.x_dot).sum(), rel=1e-3)


@pytest.mark.slow
def test_the_seed_decides_everything(data: Snapshots):
    once, again = quick().fit(data), quick().fit(list(data.x), data.dt, list(data.x_dot))
    np.testing.assert_array_equal(again.coefficients_, once.coefficients_)


@pytest.mark.slow
def test_a_saved_one_is_the_same(tmp_path: Path, data: Snapshots, fitted: SINDyAutoencoder):
    fitted.save(tmp_path / "lorenz.model")
    loaded = sparsedyn.load(tmp_path / "lorenz.model")
    times = np.arange(10) * data.dt
    np.testing.assert_array_equal(loaded.simulate(data.x[0, 0], times), fitted.simulate(data.x[0, 0], times))
    assert loaded.equations() == fitted.equations()
    assert loaded.best == fitted.best


@pytest.mark.slow
def test_training_goes_on_where_it_was_stopped(tmp_path: Path, data: Snapshots, fitted: SINDyAutoencoder):
    def place(phase: int) -> Checkpoint:
        return Checkpoint(tmp_path / f"{phase}.checkpoint", "test", seconds=0.0)

    def stop(phase: int, *_: object) -> None:
        if phase == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clone(fitted).fit(data, checkpoint=place, on_progress=stop)
    assert (tmp_path / "0.checkpoint").exists()
    resumed = clone(fitted).fit(data, checkpoint=place)
    np.testing.assert_array_equal(resumed.coefficients_, fitted.coefficients_)


@pytest.mark.slow
def test_a_changed_autoencoder_reconstructs_the_same(fitted: SINDyAutoencoder):
    one, points = fitted.member(0), np.random.default_rng(1).normal(size=(30, 6)).astype(np.float32)
    change = Affine(np.random.default_rng(2).normal(size=(3, 3)), np.ones(3))
    changed = absorbed(one, change)
    np.testing.assert_allclose(changed.encoder(points), change(np.asarray(one.encoder(points))), atol=2e-5)
    restored = one.decoder(one.encoder(points))
    np.testing.assert_allclose(changed.decoder(changed.encoder(points)), restored, atol=1e-4)


@pytest.mark.slow
def test_simulation_of_a_known_equation(fitted: SINDyAutoencoder):
    """z' = -z in every variable."""
    coefficients = np.zeros((1, 20, 3))
    for i, name in enumerate(("z1", "z2", "z3")):
        coefficients[0, fitted.library_.names(fitted.latent_names_).index(name), i] = -1.0
    models = with_coefficients(stacked([member(fitted.models_, 0)]), coefficients)
    path = simulated(models, np.ones((1, 2, 3)), 0.1, 21)
    np.testing.assert_allclose(path[0, 1, :, 0], np.exp(-0.1 * np.arange(21)), rtol=1e-7)


def test_the_ranking_prefers_terms_that_pay():
    rows = [
        # a term less, four times the error and more: not worth it
        (0, 1e-5, 1e-4, 7e-7, 7, True, True),
        (1, 1e-5, 1e-4, 2e-5, 6, True, True),
        # more terms, hardly better
        (2, 1e-5, 1e-4, 5e-7, 12, True, True),
        # the best, but its simulation runs away
        (3, 1e-5, 1e-4, 1e-9, 7, False, True),
        # far off in the data
        (4, 1e-5, 1e-1, 1e-9, 3, True, True),
    ]
    table = pd.DataFrame(rows, columns=["member", "decoder", "derivative", "latent", "terms", "bounded", "alive"])
    assert ranking(table)["member"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_derivatives_that_are_not_given_are_estimated(data: Snapshots):
    fitted = quick().fit(data.x, data.dt)
    assert np.isfinite(fitted.ranking_["derivative"]).all()
    assert all(isinstance(e, sympy.Expr) for e in fitted.equations(canonical=True, digits=3))


@pytest.mark.slow
def test_second_order_with_sines():
    t = np.arange(200) * 0.05
    angle = np.stack([a * np.cos(t) for a in np.linspace(0.2, 1.0, 6)])
    lift = np.random.default_rng(0).normal(size=(1, 12))
    parts = [a[..., None] * lift for a in (angle, np.gradient(angle, 0.05, axis=1), -angle)]
    fitted = SINDyAutoencoder(1, (4,), 2, 1, True, 1, recipe=ONE_PHASE, modes=1).fit(parts[0], 0.05, parts[1], parts[2])
    assert list(fitted.coefficients().index) == ["1", "z", "z_dot", "sin(z)", "sin(z_dot)"]
    forecast = fitted.simulate(parts[0][0, 0], t[:10], x_dot0=parts[1][0, 0])
    assert forecast.shape == (10, 12)
    with pytest.raises(DataError, match="x_dot0: expected the velocity"):
        fitted.simulate(parts[0][0, 0], t[:10])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent": 0}, "latent: expected an integer"),
        ({"order": 3}, "order: expected 1 or 2"),
        ({"widths": (64, 0)}, "widths: expected"),
        ({"derivative": "magic"}, "derivative: expected one of"),
        ({"share": 1.5}, "share: expected"),
    ],
)
def test_parameters_out_of_range_are_refused(data: Snapshots, arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        SINDyAutoencoder(**arguments).fit(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        (np.zeros((5, 4, 3, 2)), 0.1, "x: expected the axes"),
        (np.full((20, 3), np.nan), 0.1, "x: expected finite numbers"),
        (np.ones((20, 3)), 0.1, "constant"),
        (np.ones((20, 3)), None, "t: expected the sample time or the times of all rows"),
        (np.random.default_rng(0).normal(size=(20, 3)), np.r_[np.arange(19), 30.0], "time"),
        ([np.zeros((5, 3)), np.zeros((6, 3))], 0.1, "trajectories of one shape"),
    ],
)
def test_data_that_cannot_be_used_are_refused(x: object, t: object, message: str):
    with pytest.raises(DataError, match=message):
        SINDyAutoencoder(1, (4,), recipe=SHORT).fit(x, t)


@pytest.mark.slow
def test_a_forecast_does_not_depend_on_the_rows_asked_for(data: Snapshots, fitted: SINDyAutoencoder):
    fine = fitted.simulate(data.x[:2, 0], np.arange(41) * data.dt)
    for every in (2, 5, 20):
        coarse = fitted.simulate(data.x[:2, 0], np.arange(0, 41, every) * data.dt)
        np.testing.assert_allclose(coarse, fine[:, ::every], rtol=1e-6, atol=1e-6 * np.abs(fine).max())


@pytest.mark.slow
def test_a_fit_that_fails_leaves_the_earlier_one_as_it_was(data: Snapshots):
    model = quick().fit(data)
    before = model.encode(data.x)

    def stop(phase: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(data.x[..., :20], data.dt, data.x_dot[..., :20], checkpoint=stop)
    np.testing.assert_array_equal(model.encode(data.x), before)


@pytest.mark.slow
def test_parameters_set_after_a_fit_are_for_the_next_one(data: Snapshots, tmp_path: Path):
    model = quick().fit(data)
    before = model.coefficients()
    model.set_params(degree=2, members=5, latent=2, order=2, widths=(7, 7), sine=True)
    pd.testing.assert_frame_equal(model.coefficients(), before)
    assert len(model.equations()) == 3
    model.save(tmp_path / "later.model")
    loaded = sparsedyn.load(tmp_path / "later.model")
    pd.testing.assert_frame_equal(loaded.coefficients(), before)
    np.testing.assert_array_equal(loaded.encode(data.x), model.encode(data.x))


def test_a_given_velocity_is_used_where_the_acceleration_is_estimated():
    t = np.arange(200) * 0.05
    x = np.column_stack([np.sin(t), np.cos(2 * t)])
    x_dot, x_ddot = np.column_stack([np.cos(t), -2 * np.sin(2 * t)]), -x * [1, 4]
    measured = snapshots_of(x, 0.05, 3 * x_dot)
    jet = jet_of(measured, reduction_of(measured, None), 2)
    np.testing.assert_allclose(jet.first * x.std(axis=0), 3 * x_dot[None], atol=1e-9)
    assert jet.second is not None
    np.testing.assert_allclose((jet.second * x.std(axis=0))[0, 5:-5], 3 * x_ddot[5:-5], atol=1e-2)
    with pytest.raises(DataError, match="x_dot: expected the first derivative beside the second"):
        jet_of(snapshots_of(x, 0.05, None, x_ddot), reduction_of(measured, None), 2)


@pytest.mark.slow
def test_canonical_equations_are_fitted_after_terms_were_left_out(fitted: SINDyAutoencoder):
    change, found = fitted.canonical_form(0)
    states, library = fitted.states_[0], fitted.library_
    wanted = library.evaluate(states) @ fitted.coefficients_[0] @ change.matrix.T
    theta = library.evaluate(change.states(states))
    missed = wanted - theta @ found
    # What is left is orthogonal to the terms that stay, as least squares have it.
    for j in range(3):
        columns = theta[:, found[:, j] != 0]
        cosines = columns.T @ missed[:, j] / (np.linalg.norm(columns, axis=0) * np.linalg.norm(wanted[:, j]))
        assert np.abs(cosines).max(initial=0) < 1e-6


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"latent": 11}, DataError, "latent: expected at most"),
        ({"recipe": "geodesic"}, ValueError, "recipe: expected a Recipe"),
        ({"effort": None}, ValueError, "effort: expected a positive number; got None"),
        ({"share": "a"}, ValueError, "share: expected a share"),
        ({"sine": "yes"}, ValueError, "sine: expected True or False"),
    ],
)
def test_parameters_that_cannot_be(data: Snapshots, change: dict[str, object], error: type[Exception], message: str):
    # What a checker of types would refuse in the constructor gets through here.
    model = SINDyAutoencoder(members=1, widths=(4,), recipe=SHORT).set_params(**change)
    with pytest.raises(error, match=message):
        model.fit(data)


@pytest.mark.slow
def test_numpy_numbers_are_parameters_too(data: Snapshots):
    given = quick().set_params(degree=np.int64(3), widths=np.array([8]))
    np.testing.assert_array_equal(given.fit(data).coefficients_, quick().fit(data).coefficients_)


@pytest.mark.slow
def test_what_cannot_be_encoded_or_simulated(data: Snapshots, fitted: SINDyAutoencoder):
    spoilt = data.x[0].copy()
    spoilt[3, 7] = np.nan
    for values, message in (
        (spoilt, r"x: expected finite numbers; got NaN at \(3, 7\)"),
        (data.x[..., :5], "x: expected a last axis of 128"),
        (["a", "b"], "x: expected numbers"),
        ([[1.0], [1.0, 2.0]], "x: expected rows of one length; they differ"),
        (np.ma.masked_greater(data.x[0], 0), "x: expected numbers in every place; some are masked"),
        (data.x[0] + 1j, "x: expected real numbers; got complex"),
    ):
        with pytest.raises(DataError, match=message):
            fitted.encode(values)
    with pytest.raises(DataError, match="x0: expected"):
        fitted.simulate(data.x, np.arange(3) * data.dt)
    with pytest.raises(DataError, match="t: expected finite"):
        fitted.simulate(data.x[0, 0], [0.0, np.inf])
    with pytest.raises(DataError, match="t: expected regular times"):
        fitted.simulate(data.x[0, 0], [0.0, 1.0, 3.0])
    with pytest.raises(DataError, match="or a number of rows of at least 1; got 0"):
        fitted.simulate(data.x[0, 0], 0)
    with pytest.raises(ValueError, match="member: expected a number from 0 to 1; got 7"):
        fitted.coefficients(7)
    with pytest.raises(DataError, match="Snapshots bring their times"):
        fitted.evaluate(data, data.dt)
    with pytest.raises(DataError, match="x: expected a last axis of 128"):
        fitted.evaluate(data.x[..., :5], data.dt)


@pytest.mark.slow
def test_forecasts_begin_at_first_rows(data: Snapshots, fitted: SINDyAutoencoder):
    made = fitted.forecast(data.x[:2], data.dt)
    assert made.predicted.shape == (1, 2, 60, 128)
    path = fitted.simulate(data.x[:2, 0], np.arange(60) * data.dt)
    assert path.dims == ("trajectory", "time", "state")
    np.testing.assert_array_equal(made.predicted[0], path)
    assert fitted.simulate(data.x[0, 0], np.arange(5) * data.dt).dims == ("time", "state")
    assert made.std.min() == made.std.max() > 0


@pytest.mark.slow
def test_second_order_derivatives_and_forecasts():
    t = np.arange(200) * 0.05
    x = np.cos(t)[None, :, None] * np.linspace(0.2, 1.0, 6)[:, None, None] * np.arange(1.0, 5.0)
    x_dot = -np.sin(t)[None, :, None] * np.linspace(0.2, 1.0, 6)[:, None, None] * np.arange(1.0, 5.0)
    fitted = SINDyAutoencoder(1, (4,), 2, 1, True, 1, recipe=ONE_PHASE, modes=1).fit(x, 0.05, x_dot, -x)
    assert fitted.predict(x, x_dot).shape == x.shape
    assert fitted.score(x, 0.05, x_dot, -x) == pytest.approx(1 - fitted.evaluate(x, 0.05, x_dot, -x)["derivative"])
    made = fitted.forecast(x, 0.05)
    started = fitted.simulate(x[:, 0], t, x_dot0=x_dot[:, 0])
    np.testing.assert_allclose(made.predicted[0], started, atol=0.05 * np.abs(started).max())


@pytest.mark.slow
def test_equations_of_the_best_member_are_printed(fitted: SINDyAutoencoder, capsys: pytest.CaptureFixture[str]):
    fitted.print()
    assert [line.partition(" = ")[0] for line in capsys.readouterr().out.splitlines()] == ["z1'", "z2'", "z3'"]


@pytest.mark.slow
def test_data_frames_are_snapshots_too(data: Snapshots):
    frames = [pd.DataFrame(x, index=np.arange(60) * data.dt) for x in data.x]
    found = quick().fit(frames, x_dot=list(data.x_dot))
    given = quick().fit(data.x, data.dt, data.x_dot)
    np.testing.assert_allclose(found.coefficients_, given.coefficients_, rtol=1e-6)
