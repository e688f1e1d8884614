"""An exponential Runge-Kutta method for fields on a periodic grid."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import diffrax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

Spectrum = Complex[Array, "row column"]
Parts = Float[Array, "2 row column"]

Term = diffrax.AbstractTerm[Any, Any]

# Points on the circle over which a function is averaged to evaluate it at the centre. 32 give full accuracy.
CIRCLE = 32


class Coefficients(NamedTuple):
    """How much of each stage goes into the next ones, wave number by wave number."""

    whole: Float[Array, "row column"]
    half: Float[Array, "row column"]
    stage: Float[Array, "row column"]
    first: Float[Array, "row column"]
    middle: Float[Array, "row column"]
    last: Float[Array, "row column"]


class ETDRK4(diffrax.AbstractSolver[Coefficients]):
    """The fourth-order exponential time differencing method, for w' = L w + N(w) with a complex field w.

    `linear` holds L, diagonal and real in Fourier space: it is integrated exactly, so that diffusion on a fine grid
    does not limit the step. The term is N alone. The state and the term are real arrays (2, row, column), the real and
    the imaginary part of w. All steps must be as long as the first, for which the coefficients are computed.

    Source: S. M. Cox, P. C. Matthews, "Exponential Time Differencing for Stiff Systems" (2002); coefficients after
    A.-K. Kassam, L. N. Trefethen, "Fourth-Order Time-Stepping for Stiff PDEs" (2005).
    """

    linear: Float[Array, "row column"]

    term_structure: ClassVar[Any] = diffrax.AbstractTerm
    interpolation_cls: ClassVar[Callable[..., Any]] = diffrax.LocalLinearInterpolation

    def order(self, terms: Term) -> int:
        """Four."""
        return 4

    def init(self, terms: Term, t0: Any, t1: Any, y0: Parts, args: Any) -> Coefficients:
        """Return the coefficients of steps from `t0` to `t1`."""
        h = t1 - t0
        z = h * self.linear
        # The formulas cancel digits where z is small; their mean over a circle about z does not. Half of it is enough:
        # the other half gives the conjugates.
        angles = jnp.pi * (jnp.arange(CIRCLE) + 0.5) / CIRCLE
        c = z + jnp.exp(1j * angles)[:, None, None]

        def mean(values: Complex[Array, "point row column"]) -> Float[Array, "row column"]:
            return h * values.real.mean(axis=0)

        e = jnp.exp(c)
        return Coefficients(
            whole=jnp.exp(z),
            half=jnp.exp(z / 2),
            stage=mean((jnp.exp(c / 2) - 1) / c),
            first=mean((-4 - c + e * (4 - 3 * c + c**2)) / c**3),
            middle=mean(2 * (2 + c + e * (c - 2)) / c**3),
            last=mean((-4 - 3 * c - c**2 + e * (4 - c)) / c**3),
        )

    def step(
        self,
        terms: Term,
        t0: Any,
        t1: Any,
        y0: Parts,
        args: Any,
        solver_state: Coefficients,
        made_jump: Any,
    ) -> tuple[Parts, None, dict[str, Parts], Coefficients, Any]:
        """Take one step; there is no estimate of its error."""
        by, middle_time = solver_state, (t0 + t1) / 2

        def rest(t: Any, spectrum: Spectrum) -> Spectrum:
            return forward(terms.vf(t, backward(spectrum), args))

        start = forward(y0)
        n0 = forward(terms.vf(t0, y0, args))
        a = by.half * start + by.stage * n0
        n1 = rest(middle_time, a)
        n2 = rest(middle_time, by.half * start + by.stage * n1)
        n3 = rest(t1, by.half * a + by.stage * (2 * n2 - n0))
        y1 = backward(by.whole * start + by.first * n0 + by.middle * (n1 + n2) + by.last * n3)
        return y1, None, {"y0": y0, "y1": y1}, by, diffrax.RESULTS.successful

    def func(self, terms: Term, t0: Any, y0: Parts, args: Any) -> Parts:
        """Return w' whole, the linear part included."""
        return backward(self.linear * forward(y0)) + terms.vf(t0, y0, args)


def forward(parts: Parts) -> Spectrum:
    """Fourier transform of the field with these real and imaginary parts."""
    return jnp.fft.fft2(parts[0] + 1j * parts[1])


def backward(spectrum: Spectrum) -> Parts:
    """Undo `forward`."""
    field = jnp.fft.ifft2(spectrum)
    return jnp.stack([field.real, field.imag])


def squared_wave_numbers(points: int, length: float) -> Float[np.ndarray, "row column"]:
    """Minus the Laplacian in Fourier space, on a square of `points` x `points` and this side."""
    wave = 2 * np.pi / length * np.fft.fftfreq(points, 1 / points)
    return wave[:, None] ** 2 + wave**2
