"""Equation learners inside composite networks: their data, the choice of trials, and whole experiments in small."""

import dataclasses
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from sparsedyn.plotting.style import render
from sparsedyn_papers.figures.paths import propagated_curves
from sparsedyn_papers.figures.truths import latent_against_truth, predicted_against_true
from sparsedyn_papers.kim2019.digit_sum import Digits
from sparsedyn_papers.kim2019.digits import DigitsSetting, digits_experiment
from sparsedyn_papers.kim2019.elimination import single_steps
from sparsedyn_papers.kim2019.images import FILES, augmented, load_idx, small_digits
from sparsedyn_papers.kim2019.propagation import error_by_step, propagation_experiment
from sparsedyn_papers.kim2019.propagation_data import KINEMATICS_SETTING, OSCILLATOR_SETTING, Growth, data_of
from sparsedyn_papers.kim2019.reading import chosen
from sparsedyn_papers.kim2019.series import KINEMATICS, OSCILLATOR, euler, swinging

RNG = np.random.default_rng(0)


def test_kinematics_follows_its_difference_equation():
    simulated = KINEMATICS.draw(20, seen=7, steps=5, seed=1)
    a = simulated.parameter[:, None]
    for series, rows in ((simulated.seen, 7), (simulated.propagated, 6)):
        assert series.shape == (20, rows, 2)
        u, v = series[..., 0], series[..., 1]
        np.testing.assert_allclose(u[:, 1:], u[:, :-1] + v[:, :-1] + 0.5 * a, atol=1e-12)
        np.testing.assert_allclose(v[:, 1:], v[:, :-1] + a, atol=1e-12)
    # Had both the same initial state, it could be encoded in place of the parameter.
    assert not np.isclose(simulated.seen[:, 0], simulated.propagated[:, 0]).any()


def test_the_oscillator_keeps_its_energy_and_euler_gains_some():
    simulated = OSCILLATOR.draw(20, seen=50, steps=100, seed=1)
    p = simulated.parameter[:, None]
    assert ((p >= 0.1) & (p <= 1.0)).all()
    energy = lambda s: s[..., 1] ** 2 + p * s[..., 0] ** 2  # noqa: E731
    np.testing.assert_allclose(energy(simulated.propagated), energy(simulated.propagated[:, :1]) @ np.ones((1, 101)))
    found = euler(simulated.parameter, simulated.propagated[:, 0], 0.1, 100)
    grows = (1 + 0.01 * p) ** np.arange(101)
    np.testing.assert_allclose(energy(found), energy(found[:, :1]) * grows, rtol=1e-9)
    assert error_by_step(simulated.propagated, simulated.propagated).max() == 0.0
    assert error_by_step(np.full((2, 3, 2), np.nan), np.zeros((2, 3, 2))).tolist() == [np.inf] * 3


def test_the_small_digits_are_split_without_overlap():
    images = small_digits(validation=100, test=300)
    counts = [len(part.digit) for part in (images.train, images.validation, images.test)]
    assert counts == [1397, 100, 300]
    assert images.train.image.shape[1:] == (8, 8, 1)
    together = np.concatenate([part.image for part in (images.train, images.validation, images.test)])
    assert len(np.unique(together.reshape(1797, -1), axis=0)) == 1797
    again = small_digits(validation=100, test=300)
    np.testing.assert_array_equal(images.test.image, again.test.image)


def test_augmented_images_keep_their_digits():
    images = small_digits().train
    few = Digits(images.image[:30], images.digit[:30])
    more = augmented(few, 2)
    np.testing.assert_array_equal(more.image[:30], few.image)
    np.testing.assert_array_equal(more.digit, np.tile(few.digit, 3))
    for copy in (more.image[30:60], more.image[60:]):
        alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(copy, few.image, strict=True)]
        assert 0.7 < np.mean(alike) < 0.99


def idx(values: np.ndarray) -> bytes:
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    for part, count in (("train", 12), ("test", 5)):
        images, labels = FILES[part]
        (tmp_path / images).write_bytes(idx(RNG.integers(0, 256, (count, 4, 4), dtype=np.uint8)))
        (tmp_path / f"{labels}.gz").write_bytes(gzip.compress(idx((np.arange(count) % 10).astype(np.uint8))))
    return tmp_path


def test_mnist_files_are_read_packed_or_not(mnist: Path):
    images = load_idx(mnist, validation=2)
    assert (len(images.train.digit), len(images.validation.digit), len(images.test.digit)) == (10, 2, 5)
    np.testing.assert_array_equal(images.test.digit, np.arange(5))
    raw = np.frombuffer((mnist / FILES["test"][0]).read_bytes()[16:], np.uint8).reshape(5, 4, 4, 1)
    np.testing.assert_allclose(images.test.image, raw / 255.0, rtol=1e-6)


def test_bad_mnist_files_are_refused_by_name(mnist: Path):
    images, labels = FILES["train"]
    good = (mnist / images).read_bytes()
    for content, message in (
        (good[:-1], "expected 192 bytes of data for 12 x 4 x 4; got 191"),
        (b"P5 4 4", "expected an IDX file of bytes with 3 dimensions; it begins with 50 35 20 34"),
        (b"", "it begins with nothing"),
        (idx(np.zeros((3, 4, 4), np.uint8)), "as many images as labels"),
    ):
        (mnist / images).write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load_idx(mnist, validation=2)
    (mnist / images).write_bytes(good)
    (mnist / f"{labels}.gz").write_bytes(b"not packed")
    with pytest.raises(ValueError, match=r"cannot be unpacked.*Fetch it again"):
        load_idx(mnist, validation=2)
    (mnist / f"{labels}.gz").unlink()
    with pytest.raises(FileNotFoundError, match=f"{labels} or {labels}.gz"):
        load_idx(mnist, validation=2)


def test_series_are_encoded_in_units_of_their_size():
    for own_size in (False, True):
        data = data_of(dataclasses.replace(OSCILLATOR_SETTING, series=30, own_size=own_size), tests=10)
        small = dataclasses.replace(data.train, seen=1e-3 * data.train.seen)
        once, again = data.series(data.train), data.series(small)
        np.testing.assert_allclose(np.mean(np.square(once.seen)), 1.0, rtol=1e-4)
        np.testing.assert_allclose(again.seen, (1.0 if own_size else 1e-3) * once.seen, rtol=1e-4)
        np.testing.assert_array_equal(once.propagated, data.train.propagated.astype(np.float32))


def test_single_steps_are_spread_over_all_series():
    simulated = OSCILLATOR.draw(300, seen=2, steps=25, seed=0)
    steps = single_steps(simulated, simulated.parameter)
    assert len(steps.x) == 2000
    assert len(np.unique(steps.u)) == 300
    turned = swinging(steps.u[:, 0], steps.x, np.array([0.1]))[:, 0]
    np.testing.assert_allclose(steps.dx, turned, atol=1e-12)


def test_the_fewest_weights_win_among_nearly_equal_errors():
    assert chosen(np.array([0.1, 0.11, 0.3, np.nan]), np.array([20, 9, 2, 1])) == 1
    assert chosen(np.array([0.1, 0.11]), np.array([9, 9])) == 0
    assert chosen(np.array([0.1, 0.13]), np.array([20, 9])) == 0


@pytest.mark.slow
def test_the_digits_in_small():
    images = small_digits()
    few = dataclasses.replace(images, train=Digits(images.train.image[:256], images.train.digit[:256]))
    setting = DigitsSetting(filters=(4,), hidden=(8,), copies=1, steps=30, polish=(10, 1e-3), pairs=500, relu=(8,))
    result = digits_experiment(few, setting, trials=2)
    assert [(trial.head, trial.trial) for trial in result.trials] == [(h, i) for h in ("eql", "relu") for i in (0, 1)]
    for trial in result.trials:
        assert all(0.0 <= share <= 1.0 for share in (*trial.below, *trial.above, trial.validation))
        assert (trial.equation != "") == (trial.head == "eql")
    assert [z.shape for z in result.latent] == [(256,), (400,)]
    # Read off with the statistics of the training images, not of whatever is encoded.
    np.testing.assert_allclose([result.latent[0].mean(), result.latent[0].std()], [0.0, 0.5], atol=0.3)
    first = latent_against_truth(result.digit, result.latent, labels=("a", "b"), name="digit", title="t")
    second = predicted_against_true(result.wanted, result.predicted, labels=("a", "b"), name="sum", title="t", below=15)
    assert all(render(first, "png", "pdf"))
    assert all(render(second, "png", "pdf"))


@pytest.mark.slow
def test_a_short_run_of_kinematics_finds_what_determines_the_motion():
    growth = (Growth(1, 150, 1e-2, 4e-3), Growth(3, 100, 5e-3, 4e-3))
    setting = dataclasses.replace(
        KINEMATICS_SETTING, seen=20, span=3, growth=growth, polish=(100, 2.5e-3), relu=(16,), units={"identity": 3}
    )
    result = propagation_experiment(setting, trials=2)
    best = result.chosen["eql"]
    # Units that are all linear: the encoder has to do the rest, and the propagated error tells whether it did.
    assert abs(best.correlation) > 0.95
    assert best.span < 0.5
    assert len(best.equations) == 2
    # u + v + z/2 and v + z through two layers take nine weights; nothing else is left.
    assert best.weights <= 12
    assert result.curves["eql"].shape == result.curves["true"].shape == (200, 13, 2)
    np.testing.assert_array_equal(result.curves["eql"][:, 0], result.curves["true"][:, 0])
    figure = propagated_curves(
        result.curves, result.time, span=3, names=("u", "v"), samples=(0, 1), time_label="time", title="t"
    )
    assert all(render(figure, "png", "pdf"))
