"""The aluminum cell against released trajectories, an independent derivation, and its feeders' rules."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.systems import AluminumCell, Feeder, simulate

RELEASED = Path(
    os.environ.get(
        "SPARSEDYN_RELEASED",
        Path(__file__).parents[2] / ".." / "shared" / "data" / "aluminum_released_3x10000.npz",
    )
)


@pytest.fixture(scope="module")
def released() -> tuple[np.ndarray, np.ndarray]:
    """States (3, 10000, 8) and inputs (3, 10000, 5) of the released trajectories."""
    if not RELEASED.exists():
        pytest.skip(f"released trajectories not found at {RELEASED}; set SPARSEDYN_RELEASED to their file")
    with np.load(RELEASED, allow_pickle=False) as file:
        data = file["data"].astype(np.float64)
    return data[..., :8], data[..., 8:]


def balances(x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivative and outputs, written again in NumPy from the equations, columns on the first axis."""
    x1, x2, x3, x4, _, x6, x7, x8 = x
    u1, u2, u3, u4, u5 = u
    area, fusion = 17.92, 119495.0
    k1, k2 = 5.0 * area / fusion, 1200.0 * area / fusion
    m = x2 + x3 + x4
    c2, c3 = x2 / m, x3 / m
    p2, p3 = 100 * c2, 100 * c3
    g1 = (
        991.2
        + (1.12 * p3 - 0.13 * p3**2.2 + 0.061 * p3**1.5)
        - 7.93 * p2 / (1 + 0.0936 * p3 - 0.0017 * p3**2 - 0.0023 * p3 * p2)
    )
    g2 = np.exp(2.496 - 2068.4 / (273 + x6) - 2.07 * c2)
    g3 = np.polyval([3.06e-18, -2.51e-12, 6.958e-7, 0.531], u2)
    g3 = g3 + (0.431 - 14.37 * (c2 - 0.022)) / (1 + 735.3 * (c2 - 0.022))
    g4 = (0.5517 + 3.8168e-6 * u2) / (1 + 8.271e-6 * u2)
    g5 = 3.8168e-6 * g3 * g4 * u2 / (g2 * (1 - g3))
    voltage = g5 + u2 * u5 / (2620 * g2)
    ledge = 2e-5 * x1
    w = k1 * (g1 - x7) / ledge - k2 * (x6 - g1)
    heat = u2 * voltage - area * (x6 - x7) / (1 / 1200 + ledge / 5)
    heat -= 1881 * k2 * (x6 - g1) ** 2 - 1881 * k1 * (x6 - g1) * (g1 - x7) / ledge
    outward = area * (x7 - x8) / (0.1 / 13 + ledge / 5)
    cold = area * (g1 - x7) / (ledge / 5) - outward
    cold -= 1320 * k2 * (x6 - g1) * (g1 - x7) - 1320 * k1 * (g1 - x7) ** 2 / ledge
    wall = outward - area * (x8 - 35) / (0.1 / 13 + 1 / 25)
    rates = [
        w,
        u1 - 1.7e-7 * u2,
        u3 - 0.02 * u1,
        0.03 * u1 - w,
        4.43e-8 * u2 - u4,
        5.66e-4 / m * heat,
        7.58e-4 / x1 * cold,
        6e-7 * wall,
    ]
    return np.stack(rates), np.stack([voltage, g1])


@jax.jit
@jax.vmap
def evaluated(x, u):
    """Derivative and outputs."""
    cell = AluminumCell()
    return cell.field(0.0, x, u), cell.readout(x, u)


@jax.jit
@jax.vmap
def dosed(x):
    """What the feeders give at a state."""
    return AluminumCell().excitation().feedback(x, 10.0)


def typical(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random states (count, 8) and inputs (count, 5) in the range of operation."""
    generator = np.random.default_rng(3)
    x = generator.uniform(
        [2000, 0.023, 0.09, 11000, 9800, 950, 770, 540],
        [4500, 0.050, 0.13, 16500, 10000, 988, 860, 640],
        (count, 8),
    )
    x[:, 1:3] *= (x[:, 3] / (1 - x[:, 1] - x[:, 2]))[:, None]
    u = generator.uniform([0, 118000, 0, 0, 0.043], [22, 155000, 8, 9, 0.057], (count, 5))
    return x, u


def test_one_step_from_every_released_row_is_the_next_row(released):
    states, inputs = released
    with jax.enable_x64(True):
        following = np.asarray(AluminumCell().step(states[:, :-1], inputs[:, :-1]))
    residual = following - states[:, 1:]
    increment = np.diff(states, axis=1)
    # Bias counts too, so the root of the mean square and not the standard deviation.
    share = np.sqrt(np.mean(residual**2, axis=1)) / increment.std(axis=1)
    assert share.shape == (3, 8)
    assert share.max() <= 0.003


def test_a_free_run_stays_with_the_released_trajectories(released):
    states, inputs = released
    # The file rounds the first row to float32 as well: start and inputs are off by 6e-8 of their value, and
    # the cell forgets that.
    free = simulate("aluminum-cell", trajectories=3, steps=10000, x0=states[:, 0], inputs=inputs)
    error = np.abs(np.stack(free.states) - states) / states.std(axis=1, keepdims=True)
    assert error.max() <= 0.001


def test_the_feeders_rule_gave_the_released_inputs(released):
    states, inputs = released
    with jax.enable_x64(True):
        expected = np.asarray(dosed(states.reshape(-1, 8)))
    rest = inputs.reshape(-1, 5)[:, [0, 2, 3]] - expected[:, [0, 2, 3]]
    # Alumina and fluoride: what is left are impulses, one in many hundred rows.
    assert np.mean(np.abs(rest[:, 0]) > 0.01) < 0.002
    assert np.mean(np.abs(rest[:, 1]) > 0.01) < 0.002
    # Metal: the rule multiplies the float32 rounding of 10000 kg (1e-3) by 300.
    assert np.abs(rest[:, 2]).max() < 0.3


def test_field_and_outputs_agree_with_an_independent_derivation():
    x, u = typical(50)
    with jax.enable_x64(True):
        rates, outputs = (np.asarray(values) for values in evaluated(x, u))
    expected_rates, expected_outputs = balances(x.T, u.T)
    np.testing.assert_allclose(rates, expected_rates.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(outputs, expected_outputs.T, rtol=1e-12)
    assert ((outputs > [1, 930]) & (outputs < [3, 1000])).all()


def test_one_hand_computed_point():
    # 4 % alumina, 11 % fluoride: bath of 10000 kg. Liquidus by hand:
    # 991.2 + 12.32 - 0.13 * 195.4699 + 0.061 * 36.4829 - 31.72 / (1 + 1.0296 - 0.2057 - 0.1012)
    x = np.array([3000.0, 400.0, 1100.0, 8500.0, 9900.0, 960.0, 800.0, 580.0])
    u = np.array([15.0, 140000.0, 3.0, 4.0, 0.05])
    with jax.enable_x64(True):
        (rates, *_), (outputs, *_) = (np.asarray(v) for v in evaluated(np.tile(x, (50, 1)), np.tile(u, (50, 1))))
    liquidus = outputs[1]
    assert liquidus == pytest.approx(961.921, abs=2e-3)
    np.testing.assert_allclose(rates[[1, 2, 4]], [14.9762, 2.7, -3.993798], rtol=1e-12)
    # What freezes leaves the bath: ledge and cryolite together change by the feed alone.
    assert rates[0] + rates[3] == pytest.approx(0.03 * 15)


@pytest.mark.parametrize(
    ("feeder", "fraction", "expected"),
    [
        # 30000 (0.023 - c) : nothing below 14, at most 22 kg/s.
        ("alumina", 0.0226, 0.0),
        ("alumina", 0.02250, 15.0),
        ("alumina", 0.0220, 22.0),
        ("alumina", 0.0300, 0.0),
        # 13000 (0.105 - c): nothing below 2, at most 8 kg/s.
        ("fluoride", 0.1049, 0.0),
        ("fluoride", 0.1046, 5.2),
        ("fluoride", 0.1000, 8.0),
        ("fluoride", 0.1200, 0.0),
    ],
)
def test_feeders_dose_in_proportion_between_a_dead_zone_and_a_limit(feeder, fraction, expected):
    part = 0 if feeder == "alumina" else 2
    shares = {"alumina": 0.04, "fluoride": 0.11} | {feeder: fraction}
    x = np.array([3000.0, 0, 0, 0, 9900.0, 960.0, 800.0, 580.0])
    x[1:4] = 14000 * np.array([*shares.values(), 1 - sum(shares.values())])
    with jax.enable_x64(True):
        dose = dosed(x[None])[0]
    assert float(dose[part]) == pytest.approx(expected, abs=1e-6)


def test_doses_are_limited_in_kg_per_sample():
    # Half the time, twice the rate at both limits.
    heavy = jnp.full(8, 9900.0)
    assert [float(Feeder("metal", 0, gain, 20, 90)(heavy, 5.0)) for gain in (-1.0, -1e-9)] == [18.0, 0.0]


@pytest.mark.parametrize(("metal", "expected"), [(9999.0, 0.0), (10000.006, 0.0), (10000.01, 3.0), (10001.0, 9.0)])
def test_metal_is_tapped_above_ten_tons(metal, expected):
    x = np.array([3000.0, 560.0, 1540.0, 11900.0, metal, 960.0, 800.0, 580.0])
    with jax.enable_x64(True):
        tapped = dosed(x[None])[0, 3]
    assert float(tapped) == pytest.approx(expected, abs=1e-6)


def test_initial_conditions_fill_their_box():
    cell = AluminumCell()
    with jax.enable_x64(True):
        x = np.asarray(jax.jit(jax.vmap(cell.initial))(jax.random.split(jax.random.key(0), 2000)))
    fractions = x[:, 1:3] / x[:, 1:4].sum(axis=1, keepdims=True)
    drawn = np.column_stack([x[:, 0], fractions, x[:, 3:]])
    low = np.array([2060, 0.02, 0.09, 11500, 9750, 960, 790, 555])
    high = np.array([4460, 0.05, 0.13, 16000, 10000, 990, 850, 610])
    share = (drawn - low) / (high - low)
    assert share.min() > -1e-12
    assert share.max() < 1 + 1e-12
    np.testing.assert_allclose(share.mean(axis=0), 0.5, atol=0.03)


@pytest.mark.slow
def test_generated_trajectories_cover_the_released_ranges_and_keep_to_the_rules():
    data = simulate("aluminum-cell", trajectories=40, steps=5000, seed=5)
    states, inputs = data.stack()
    low = np.array([1955, 285, 1386, 10196, 9821, 946, 761, 527])
    high = np.array([4549, 721, 2143, 16747, 10000, 988, 861, 646])
    width = high - low
    assert (states.min((0, 1)) < low + 0.4 * width).all()
    assert (states.max((0, 1)) > high - 0.4 * width).all()
    # More trajectories than the three released ones go further, but not far.
    assert (states.min((0, 1)) > low - 0.8 * width).all()
    assert (states.max((0, 1)) < high + 0.8 * width).all()
    feed, current, fluoride, tapping, distance = np.moveaxis(inputs, -1, 0)
    assert current[:, 0] == pytest.approx(140000.0)
    assert distance[:, 0] == pytest.approx(0.05)
    assert 118000 <= current.min() < 119000
    assert 154000 < current.max() <= 155000
    assert 0.043 <= distance.min() < 0.0435
    assert 0.0565 < distance.max() <= 0.057
    assert feed.min() == 0 < feed.max() <= 42
    assert fluoride.min() == 0 < fluoride.max() <= 18
    assert tapping.max() > 0
    assert ((tapping == 0) | ((tapping >= 2) & (tapping <= 9))).all()
    assert data.state_names == AluminumCell.state_names
    assert data.state_units == ("kg",) * 5 + ("degC",) * 3
    assert data.input_units == ("kg/s", "A", "kg/s", "kg/s", "m")
    assert data.dt == 10.0
    assert data.attrs == {"system": "aluminum-cell", "seed": 5, "dt": 10.0, "redrawn": 0}


def test_level_changes_and_impulses_come_at_the_published_gaps():
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(1), 40)
        cell = AluminumCell()
        signals = np.asarray(jax.jit(jax.vmap(lambda key: cell.excitation().signal(key, 5000, 10.0)))(keys))
    gaps = {1: (100, 1100), 4: (100, 1100), 0: (500, 2000), 2: (1000, 3000)}
    for channel, (shortest, longest) in gaps.items():
        held = channel in (1, 4)
        for signal in signals[..., channel]:
            rows = np.flatnonzero(np.diff(signal)) + 1 if held else np.flatnonzero(signal)
            assert 100 <= rows[0] <= 1100
            assert np.diff(rows).min(initial=shortest) >= shortest
            assert np.diff(rows).max(initial=longest) <= longest
    heights = signals[..., 0][signals[..., 0] != 0]
    assert 1 <= heights.min() < 2
    assert 19 < heights.max() <= 20
    assert (signals[..., 3] == 0).all()
