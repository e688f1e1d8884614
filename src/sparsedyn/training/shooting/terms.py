"""Right-hand sides that are linear in their parameters: coefficients of the terms of a library."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn.models import PRIMITIVES, Library

from .motion import Slopes
from .program import CODES, Program

Known = Callable[[np.ndarray, np.ndarray], np.ndarray]
STEP = 6e-6
"""Step of central differences, as a share of a state's size."""


@dataclass(frozen=True)
class TermField:
    """`dx/dt = theta(x, u) Xi` for some places of `Xi`, each a parameter in multiples of its `unit`.

    For order 2, `x` are positions and velocities, and equations give accelerations.
    """

    library: Library
    terms: Int[np.ndarray, " parameter"]
    equations: Int[np.ndarray, " parameter"]
    units: Float[np.ndarray, " parameter"]
    count: int
    """How many equations there are."""
    order: int = 1
    known: Known | None = None
    """What is added to the terms: a function of states (row, state) and inputs (row, input) to (row, equation)."""

    @cached_property
    def program(self) -> Program | None:
        """The terms with parameters as numbers; `None` where one is a function that is not compiled."""
        if self.known is not None:
            return None
        used, places = np.unique(self.terms, return_inverse=True)
        products = len(self.library.monomials)
        codes = np.zeros(len(used), int)
        factors = np.full((len(used), max(self.library.degree, 1)), -1)
        for row, term in enumerate(used):
            chosen: tuple[int, ...]
            if term < products:
                chosen = self.library.monomials[term]
            else:
                function, chosen = self.library.applications[term - products]
                code = CODES.get(function.name)
                if code is None or PRIMITIVES[function.name] is not function:
                    return None
                codes[row] = code
            factors[row, : len(chosen)] = chosen
        first = self.count if self.order == 2 else 0
        equations, units = np.ascontiguousarray(self.equations), np.ascontiguousarray(self.units)
        return Program(codes, factors, np.ascontiguousarray(places), equations, units, first)

    def __call__(
        self,
        x: Float[np.ndarray, "candidate segment state"],
        u: Float[np.ndarray, "segment input"],
        parameters: Float[np.ndarray, "candidate parameter"],
        *,
        sensitive: bool,
    ) -> Slopes:
        """Return derivatives of states under held inputs; see `Field`."""
        candidates, segments, width = x.shape
        values = np.concatenate([x, np.broadcast_to(u, (candidates, *u.shape))], axis=-1)
        coefficients = np.zeros((candidates, self.library.size, self.count))
        coefficients[:, self.terms, self.equations] = parameters * self.units
        across = coefficients.transpose(0, 2, 1)
        theta, by = self.library.linearized(values) if sensitive else (self.library.on_host(values), None)
        theta = theta.transpose(1, 0, 2)
        value = np.matmul(across, theta).transpose(0, 2, 1)
        added, added_by = self._known(x, u, sensitive)
        value = value + added
        if self.order == 2:
            value = np.concatenate([x[..., self.count :], value], axis=-1)
        if by is None:
            return Slopes(value, None, None)
        by = by[:, :width].transpose(2, 0, 1, 3).reshape(candidates, self.library.size, width * segments)
        jacobian = np.matmul(across, by).reshape(candidates, self.count, width, segments).transpose(0, 3, 1, 2)
        jacobian = jacobian + added_by
        first = width - self.count
        by_state = np.zeros((candidates, segments, width, width))
        by_state[..., first:, :] = jacobian
        if self.order == 2:
            by_state[..., np.arange(first), first + np.arange(first)] = 1.0
        by_parameter = np.zeros((candidates, segments, width, len(self.terms)))
        places = np.arange(len(self.terms))
        by_parameter[:, :, first + self.equations, places] = np.moveaxis(theta[:, self.terms], 1, -1) * self.units
        return Slopes(value, by_state, by_parameter)

    def _known(self, x: np.ndarray, u: np.ndarray, sensitive: bool) -> tuple[np.ndarray | float, np.ndarray | float]:
        """The known part, and its derivatives by states from central differences; zeros where nothing is known."""
        if self.known is None:
            return 0.0, 0.0
        rows, inputs = x.reshape(-1, x.shape[2]), np.tile(u, (len(x), 1))
        values = self.known(rows, inputs).reshape(*x.shape[:2], self.count)
        if not sensitive:
            return values, 0.0
        by = np.empty((*values.shape, x.shape[2]))
        for i in range(x.shape[2]):
            step = STEP * max(1e-300, float(np.abs(rows[:, i]).max()))
            ends = [rows + sign * step * (np.arange(x.shape[2]) == i) for sign in (1, -1)]
            up, down = (self.known(end, inputs) for end in ends)
            by[..., i] = ((up - down) / (2 * step)).reshape(values.shape)
        return values, by


def field_of(
    library: Library,
    support: Bool[np.ndarray, "term equation"],
    units: Float[np.ndarray, "term equation"],
    order: int,
    known: Known | None = None,
) -> TermField:
    """Return the field whose parameters are the places of a support, beside a known part."""
    terms, equations = np.nonzero(support)
    return TermField(library, terms, equations, units[support], support.shape[1], order, known)
