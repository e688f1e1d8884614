"""Second-order refinement on problems whose solutions are known."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

from sparsedyn.data import Samples
from sparsedyn.models import EQL, MLP, AbstractModel
from sparsedyn.training import points_of, polished, refine
from sparsedyn.training.refine import FLOOR, Path
from sparsedyn.training.residuals import Problem, _derivatives

KEY = jax.random.key(0)
UNITS = {"constant": 1, "identity": 1, "sin": 1, "product": 1}


class Linear(AbstractModel):
    """`x W`: least squares, which has no secrets."""

    weight: Float[Array, "_state _output"]

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " output"]:
        return x @ self.weight


def inputs(count: int, features: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2, 2, (count, features))


def samples(x: np.ndarray, y: np.ndarray) -> Samples:
    return Samples(x, np.zeros((len(x), 0)), y)


def learner(*weights: np.ndarray) -> EQL:
    """Stacked networks of two states, exact, one output."""
    shapes = eqx.filter_eval_shape(lambda key: EQL(2, 0, 1, UNITS, hidden=1, key=key), KEY)
    return eqx.tree_at(lambda m: m.weights, shapes, weights).exact()


def teacher() -> tuple[np.ndarray, np.ndarray]:
    """3 sin(2 x0) + 1.5 x0 x1 - 0.5; columns of the first matrix: identity, sin, product, product."""
    first = np.array([[0.0, 2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    return first, np.array([[-0.5], [0.0], [3.0], [1.5]])


def law(x: np.ndarray) -> np.ndarray:
    return (3 * np.sin(2 * x[:, 0]) + 1.5 * x[:, 0] * x[:, 1] - 0.5)[:, None]


def students(count: int, extra: float) -> EQL:
    """Networks near the teacher's, with further small weights of the size `extra`."""
    rng = np.random.default_rng(1)
    near = [w * (1 + 0.1 * rng.normal(size=(count, *w.shape))) for w in teacher()]
    near = [w + extra * rng.normal(size=w.shape) * (w == 0) for w in near]
    return learner(*near)


DATA = samples(inputs(80, 2, 0), law(inputs(80, 2, 0)))
HELD = samples(inputs(40, 2, 9), law(inputs(40, 2, 9)))


@pytest.fixture(scope="module")
def path() -> Path:
    return refine(students(3, 0.02), DATA, HELD)


def test_the_known_solution_is_reached_and_nothing_else_is_left(path: Path):
    # Six weights: of the product's three, two only set the size of its arguments.
    best = np.argmin(path.scores(len(DATA.x)), axis=1)
    everyone = np.arange(3)
    assert path.counts()[everyone, best].tolist() == [6, 6, 6]
    assert np.all(np.sqrt(path.train[everyone, best]) < 1e-10)
    assert np.all(np.sqrt(path.held_out[everyone, best]) < 1e-10)
    models = points_of(students(3, 0.02), path, everyone, best)
    first, last = models.weights
    np.testing.assert_allclose(first[:, 0, 1] * np.sign(first[:, 0, 1]), 2.0, rtol=1e-9)
    np.testing.assert_allclose(first[:, 0, 2] * first[:, 1, 3] * last[:, 3, 0], 1.5, rtol=1e-9)
    np.testing.assert_allclose(last[:, 0, 0], -0.5, rtol=1e-9)
    # Anything smaller is far worse.
    smaller = (path.counts() < 6) & np.isfinite(path.train)
    assert np.all(path.train[smaller] > 1e-3)


def test_the_path_loses_weights_and_never_finds_any(path: Path):
    counts = path.counts()
    assert np.all(np.diff(counts, axis=1) <= 0)
    assert np.all(path.kept[:, 1:] <= path.kept[:, :-1])
    assert np.all(path.values[~path.kept] == 0)
    assert counts[:, 0].min() > 6


def test_a_product_goes_as_a_whole(path: Path):
    # Places in the flattened matrices: the arguments' columns 2 and 3 of the first, row 3 of the last.
    model = learner(*teacher())
    first = np.arange(8).reshape(2, 4)
    arguments, reader = (set(first[:, 2]), set(first[:, 3])), {8 + 3}
    assert model.gauges()[list(arguments[0])].tolist() == [1, 1]
    for member in range(3):
        for kept in path.kept[member]:
            there = set(path.entries[member][kept].tolist())
            one, other, read = (bool(there & part) for part in (*arguments, reader))
            assert one == other
            assert one or not read


def test_elimination_of_linear_weights_is_exact():
    x = inputs(60, 6, 2) @ np.random.default_rng(3).normal(size=(6, 6))
    y = x @ np.array([[1.0], [-0.6], [0.4], [0.25], [0.1], [0.05]]) + 0.1 * np.random.default_rng(4).normal(
        size=(60, 1)
    )
    data = samples(x, y)
    path = refine(Linear(np.ones((1, 6, 1))), data, data)

    def cost(kept: list[int]) -> float:
        found = np.linalg.lstsq(x[:, kept], y[:, 0], rcond=None)[0]
        return float(np.mean(np.square(x[:, kept] @ found - y[:, 0])) / np.var(y))

    kept = list(range(6))
    assert path.counts()[0].tolist() == [6, 5, 4, 3, 2, 1, 0]
    for point in range(6):
        assert sorted(path.entries[0][path.kept[0, point]].tolist()) == kept
        np.testing.assert_allclose(path.train[0, point], cost(kept), rtol=1e-6)
        # By brute force: leave out each in turn, refit, and take what costs least.
        kept = min(([i for i in kept if i != out] for out in kept), key=cost) if len(kept) > 1 else []


def test_scores_count_samples_weights_and_the_larger_error():
    kept = np.array([[[True, True], [True, False]]])
    path = Path(np.array([[0, 1]]), kept * 1.0, kept, np.array([[1e-4, np.nan]]), np.array([[4e-4, 1.0]]))
    expected = 50 * np.log(4e-4 + FLOOR) + 2 * np.log(50)
    np.testing.assert_allclose(path.scores(50), [[expected, np.inf]])


def test_zeros_stay_zero():
    sparse = students(2, 0.0)
    path = refine(sparse, DATA, HELD)
    nonzero = [np.flatnonzero(np.concatenate([w[i].ravel() for w in sparse.weights])) for i in range(2)]
    for member in range(2):
        assert set(path.entries[member][path.kept[member, 0]]) == set(nonzero[member])
    final = polished(sparse, DATA)
    for before, after in zip(sparse.weights, final.weights, strict=True):
        np.testing.assert_array_equal(before == 0, after == 0)


def spoilt(kind: str) -> EQL:
    """Two good networks around a bad one."""
    models = students(3, 0.02)
    bad = {"nan": np.nan, "overflow": 1e30, "dead": 0.0}[kind]
    return eqx.tree_at(lambda m: m.weights, models, tuple(_with_row(w, bad) for w in models.weights))


def _with_row(weight: np.ndarray, value: float) -> np.ndarray:
    changed = weight.copy()
    changed[1] = value
    return changed


@pytest.mark.parametrize("kind", ["nan", "overflow", "dead"])
@pytest.mark.devices
def test_a_bad_member_does_not_disturb_the_others(kind: str, path: Path):
    found = refine(spoilt(kind), DATA, HELD)
    for member in (0, 2):
        points = path.counts().shape[1]
        np.testing.assert_array_equal(found.kept[member, :points], path.kept[member])
        np.testing.assert_allclose(found.train[member, :points], path.train[member], rtol=1e-6, atol=1e-25)
    usable = np.isfinite(found.train[1]) & (found.counts()[1] > 0)
    assert not np.any(usable & (found.train[1] < 1e-3))


def network(hidden: int, members: int) -> MLP:
    """Stacked networks with weights from NumPy, since JAX compiles a draw per shape."""
    rng = np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(lambda key: MLP(2, 0, (hidden,), activation="tanh", key=key), KEY)
    return jax.tree.map(lambda s: rng.normal(size=(members, *s.shape)).astype(np.float32), shapes)


def values_of(model: MLP) -> np.ndarray:
    """What a network gives at the samples, in double precision."""
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda w: jnp.asarray(w, jnp.float64), model)
        return np.asarray(jax.jit(lambda m, x, u: jax.vmap(m)(x, u))(wide, DATA.x, DATA.u))


@pytest.mark.parametrize("kind", ["EQL", "MLP"])
def test_derivatives_are_the_jacobian(kind: str):
    models: Any = students(2, 0.3)
    if kind == "MLP":
        models = network(3, members=2)
    dx = DATA.dx if kind == "EQL" else DATA.x
    problem = Problem(models, samples(DATA.x, dx), samples(DATA.x, dx), 1000)
    flat = problem._flat(problem.values)[0]
    index = np.arange(len(flat))[::-2]
    with jax.enable_x64(True):
        part = Samples(*(jnp.asarray(a) for a in problem.data))
        outputs, got = jax.jit(lambda f: _derivatives(problem.fixed, f, jnp.asarray(index), part))(flat)

        def every(flat: Array) -> Array:
            return jax.vmap(problem.fixed.model(flat))(part.x, part.u)

        np.testing.assert_allclose(outputs, jax.jit(every)(flat), rtol=1e-12)
        jacobian = np.asarray(jax.jit(jax.jacobian(every))(flat))
    np.testing.assert_allclose(got, np.transpose(jacobian[:, :, index], (2, 1, 0)), atol=1e-12)


def test_networks_of_any_kind_are_polished():
    hidden = jax.tree.map(lambda w: w[0], network(2, members=1))
    target = values_of(hidden)
    rng = np.random.default_rng(0)
    begun = jax.tree.map(lambda w: (np.asarray(w) * (1 + 0.05 * rng.normal(size=w.shape)))[None], hidden)
    begun = jax.tree.map(lambda w: np.concatenate([w, w * np.nan]), begun)
    data = samples(DATA.x, target)
    final = polished(begun, data)
    assert isinstance(final, MLP)
    np.testing.assert_allclose(values_of(jax.tree.map(lambda w: w[0], final)), target, atol=1e-10)
