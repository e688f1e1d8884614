"""Functions to be found again: what they are, where they are sampled, and what others reported of them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy
from jaxtyping import Float
from scipy.integrate import solve_ivp

from sparsedyn.equations import compiled, parsed

Range = tuple[float, float]
ROWS = 100
"""Points of a trajectory."""


@dataclass(frozen=True)
class System:
    """Two differential equations, the initial states of the trajectories that it is sampled along, their length."""

    states: tuple[str, str]
    derivatives: tuple[str, str]
    starts: tuple[tuple[float, float], ...]
    span: float

    def trajectories(self) -> Float[np.ndarray, "trajectory time state"]:
        """Return the states at evenly spaced times."""
        right = compiled([parsed(text, self.states) for text in self.derivatives], self.states)
        times = np.linspace(0.0, self.span, ROWS)
        solved = [
            solve_ivp(
                lambda t, state: right(state[None])[0],
                (0.0, self.span),
                start,
                method="LSODA",
                t_eval=times,
                rtol=1e-10,
                atol=1e-12,
            )
            for start in self.starts
        ]
        return np.stack([found.y.T for found in solved])


@dataclass(frozen=True)
class Function:
    """A function `text` of `inputs`, sampled uniformly from `domain` or along the trajectories of a `system`.

    What is found is judged on `beyond`, a larger box. `published` are the shares of trials in which others found it, by
    regularizer.
    """

    name: str
    inputs: tuple[str, ...]
    text: str
    domain: tuple[Range, ...]
    beyond: tuple[Range, ...]
    published: dict[str, float] = field(default_factory=dict)
    system: System | None = None

    @cached_property
    def truth(self) -> sympy.Expr:
        """The function as an expression."""
        return parsed(self.text, self.inputs)

    def values(self, columns: Float[np.ndarray, "sample input"]) -> Float[np.ndarray, " sample"]:
        """Return the function's values."""
        return compiled([self.truth], self.inputs)(columns)[:, 0]
