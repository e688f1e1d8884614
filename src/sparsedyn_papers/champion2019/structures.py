"""What the truth says of a discovered equation: whether it is the same but for coordinates, and how it moves."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.optimize import least_squares

from sparsedyn.equations.coordinates import Affine
from sparsedyn.forecast.rollout import rk4_step
from sparsedyn.models import Library
from sparsedyn.systems.lorenz import Lorenz63

EXACT = 1e-6
"""A residual below which a structure is the true one."""
POINTS = 300
"""States at which two vector fields are compared: more than a library has terms."""
LORENZ_TERMS = 7


@dataclass(frozen=True)
class Alignment:
    """The affine map that leads from latent variables nearest to the truth, and its R^2 for each true coordinate."""

    matrix: Float[np.ndarray, "coordinate latent"]
    offset: Float[np.ndarray, " coordinate"]
    r2: Float[np.ndarray, " coordinate"]

    def __call__(self, latent: Float[np.ndarray, "*batch latent"]) -> Float[np.ndarray, "*batch coordinate"]:
        """Return the reading of the true coordinates; of paths that blew up, what is not finite."""
        with np.errstate(invalid="ignore", over="ignore"):
            return latent @ self.matrix.T + self.offset

    @property
    def change(self) -> Affine:
        """The map as a change of coordinates, of which there must be as many."""
        return Affine(self.matrix, self.offset)


def aligned(truth: Float[np.ndarray, "sample coordinate"], latent: Float[np.ndarray, "sample latent"]) -> Alignment:
    """Return the least-squares alignment."""
    columns = np.column_stack([latent, np.ones(len(latent))])
    found = np.linalg.lstsq(columns, truth, rcond=None)[0]
    residual = np.mean(np.square(truth - columns @ found), axis=0)
    return Alignment(found[:-1].T, found[-1], 1 - residual / np.var(truth, axis=0))


@dataclass(frozen=True)
class Structure:
    """Whether an equation is the true one up to coordinates, how far it is from that, and the parameters it has.

    `residual` is relative to the derivatives: the root mean square of what is left when coordinates and parameters are
    fitted, or NaN where there is nothing to fit.
    """

    right: bool
    residual: float
    parameters: dict[str, float]


WRONG = Structure(False, np.nan, {})


def lorenz(
    library: Library,
    coefficients: Float[np.ndarray, "term 3"],
    states: Float[np.ndarray, "sample 3"],
    starts: list[Affine],
    terms: int,
) -> Structure:
    """Compare a first-order equation of three variables with Lorenz's, x' = sigma (y - x), y' = x (rho - z) - c y,
    z' = x y - beta z.

    Coordinates and the four parameters minimize the difference of the vector fields at `states`; `starts` are changes
    that lead near Lorenz's variables. The structure is right if nothing is left and the equation has `terms` 7 in the
    coordinates of fewest terms.
    """
    points = states[:: max(1, len(states) // POINTS)][:POINTS]
    velocity = library.evaluate(points) @ coefficients
    if not np.isfinite(velocity).all():
        return WRONG
    fits = [_lorenz_fit(points, velocity, start) for start in starts]
    residual, parameters = min(fits, key=lambda fit: fit[0])
    named = dict(zip(("sigma", "c", "rho", "beta"), (float(value) for value in parameters), strict=True))
    return Structure(bool(residual < EXACT and terms == LORENZ_TERMS), residual, named)


def _lorenz_fit(
    points: Float[np.ndarray, "sample 3"], velocity: Float[np.ndarray, "sample 3"], start: Affine
) -> tuple[float, Float[np.ndarray, "4"]]:
    sizes = np.array([10.0, 1.0, 28.0, 8 / 3])

    def unpacked(flat: np.ndarray) -> tuple[Affine, np.ndarray]:
        # In steps relative to the start, all unknowns are of one size.
        matrix = (np.eye(3) + flat[:9].reshape(3, 3)) @ start.matrix
        return Affine(matrix, start.offset + 10.0 * flat[9:12]), sizes * (1 + flat[12:])

    def difference(flat: np.ndarray) -> np.ndarray:
        change, (sigma, c, rho, beta) = unpacked(flat)
        x, y, z = change(points).T
        template = np.stack([sigma * (y - x), x * (rho - z) - c * y, x * y - beta * z], axis=1)
        moved = velocity @ change.matrix.T
        size = np.sqrt(np.mean(np.square(moved), axis=0)) + 1e-12
        gap: np.ndarray = ((moved - template) / size).ravel()
        return gap

    found = least_squares(difference, np.zeros(16), method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=2000)
    return float(np.sqrt(np.mean(np.square(found.fun)))), unpacked(found.x)[1]


def rotation(coefficients: Float[np.ndarray, "term latent"], library: Library) -> Structure:
    """Compare a first-order equation of two variables with a rotation, z1' = -w z2, z2' = w z1, scales left free."""
    if coefficients.shape[1] != 2 or library.variables != 2:
        return WRONG
    places = [library.monomials.index((1,)), library.monomials.index((0,))]
    numbers = [coefficients[place, equation] for equation, place in enumerate(places)]
    right = np.count_nonzero(coefficients) == 2 and numbers[0] * numbers[1] < 0
    return Structure(bool(right), np.nan, {"omega": float(np.sqrt(-numbers[0] * numbers[1]))} if right else {})


def swing(coefficients: Float[np.ndarray, "term latent"], library: Library, slope: float) -> Structure:
    """Compare a second-order equation of one variable with a pendulum's, z'' = -k sin z.

    `slope` is that of the angle over the latent variable: k sin z is told in units of the angle, and by its size alone,
    since z may count from the upper rest.
    """
    if coefficients.shape[1] != 1 or not library.functions:
        return WRONG
    place = _sine(library)
    right = np.count_nonzero(coefficients) == 1 and coefficients[place, 0] != 0
    return Structure(bool(right), np.nan, {"k": abs(float(coefficients[place, 0] * slope))} if right else {})


def _sine(library: Library) -> int:
    """Return the place of the sine of the first variable."""
    names = [(function.name, chosen) for function, chosen in library.applications]
    return len(library.monomials) + names.index(("sin", (0,)))


class Attractor(NamedTuple):
    """Where equations go from a state: the path, thinned out, and the largest Lyapunov exponent."""

    path: Float[np.ndarray, "member time latent"]
    lyapunov: Float[np.ndarray, " member"]


def attractor(
    library: Library,
    coefficients: Float[np.ndarray, "member term latent"],
    start: Float[np.ndarray, "member latent"],
    *,
    dt: float = 0.01,
    time: float = 200.0,
    kept: int = 10_000,
) -> Attractor:
    """Integrate first-order equations in float64, and a small deviation beside them that is scaled back every step.

    The first tenth of the `time` is left out. A path that blows up goes on as inf or NaN, and so does its exponent.
    """
    steps, stride = round(time / dt), max(1, round(time / dt) // kept)
    with jax.enable_x64(True):
        arrays = (jnp.asarray(coefficients, jnp.float64), jnp.asarray(start, jnp.float64))
        path, growth = (np.asarray(a) for a in _followed(*arrays, library, dt, steps // stride, stride))
    begin = path.shape[1] // 10
    with np.errstate(invalid="ignore"):
        exponent = growth[:, begin:].mean(axis=1) / (dt * stride)
    return Attractor(path[:, begin:], exponent)


@partial(jax.jit, static_argnames=("library", "dt", "blocks", "stride"))
def _followed(
    coefficients: Array, start: Array, library: Library, dt: float, blocks: int, stride: int
) -> tuple[Array, Array]:
    """Return the states after every `stride` steps, and by how much a deviation's logarithm grew since."""

    def one(numbers: Array, state: Array) -> tuple[Array, Array]:
        def increment(z: Array, _: Array) -> Array:
            return dt * (library(z) @ numbers)

        def moved(z: Array) -> Array:
            return rk4_step(increment, z, jnp.zeros(0))

        def step(_: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            z, direction, growth = carry
            z, direction = jax.jvp(moved, (z,), (direction,))
            size = jnp.linalg.norm(direction)
            return z, direction / size, growth + jnp.log(size)

        def block(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
            z, direction, growth = jax.lax.fori_loop(0, stride, step, (*carry, jnp.zeros((), state.dtype)))
            return (z, direction), (z, growth)

        first = (state, jnp.full_like(state, state.size**-0.5))
        found: tuple[Array, Array] = jax.lax.scan(block, first, None, length=blocks)[1]
        return found

    followed: tuple[Array, Array] = jax.vmap(one)(coefficients, start)
    return followed


def lorenz_coefficients(library: Library) -> Float[np.ndarray, "term 3"]:
    """Return Lorenz's equations in a library of at least the second degree."""
    plant = Lorenz63()
    place = {monomial: i for i, monomial in enumerate(library.monomials)}
    numbers = np.zeros((library.size, 3))
    for equation, monomial, value in (
        (0, (0,), -plant.sigma),
        (0, (1,), plant.sigma),
        (1, (0,), plant.rho),
        (1, (1,), -1.0),
        (1, (0, 2), -1.0),
        (2, (2,), -plant.beta),
        (2, (0, 1), 1.0),
    ):
        numbers[place[monomial], equation] = value
    return numbers


def rotation_coefficients(library: Library, omega: float) -> Float[np.ndarray, "term 2"]:
    """Return a rotation of two variables in a library."""
    numbers = np.zeros((library.size, 2))
    numbers[library.monomials.index((1,)), 0] = -omega
    numbers[library.monomials.index((0,)), 1] = omega
    return numbers


def swing_coefficients(library: Library) -> Float[np.ndarray, "term 1"]:
    """Return the equation of a pendulum of length 1 in a library with sines."""
    numbers = np.zeros((library.size, 1))
    numbers[_sine(library), 0] = -1.0
    return numbers


def angular_velocity(turn: Float[np.ndarray, "time 2"], dt: float) -> float:
    """Return the mean angular velocity of a phase told by cosine and sine."""
    angle = np.unwrap(np.arctan2(turn[:, 1], turn[:, 0]))
    return float(abs(np.polyfit(dt * np.arange(len(angle)), angle, 1)[0]))
