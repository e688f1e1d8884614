"""Functions to be found again: what they are, where they are sampled, and what others reported of them.

The lists were settled before anything was searched for.
"""

from collections.abc import Sequence
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


def _table5(name: str, inputs: str, text: str, l05: float, l0: float) -> Function:
    count = len(inputs)
    box, beyond = ((-1.0, 1.0),) * count, ((-2.0, 2.0),) * count
    return Function(name, tuple(inputs), text, box, beyond, {"l05": l05, "l0": l0})


TABLE5 = (
    _table5("x", "x", "x", 1.0, 1.0),
    _table5("x^2", "x", "x**2", 0.6, 0.75),
    _table5("x^3", "x", "x**3", 0.3, 0.05),
    _table5("sin(2 pi x)", "x", "sin(2*pi*x)", 0.45, 0.85),
    _table5("x y", "xy", "x*y", 0.8, 1.0),
    _table5("1/(1 + exp(-10 x))", "x", "1/(1 + exp(-10*x))", 0.3, 0.55),
    _table5("x y/2 + z/2", "xyz", "x*y/2 + z/2", 0.05, 0.95),
    _table5("exp(-x^2)", "x", "exp(-x**2)", 0.05, 0.15),
    _table5("x^2 + sin(2 pi y)", "xy", "x**2 + sin(2*pi*y)", 0.2, 0.8),
    _table5("x^2 + y - 2 z", "xyz", "x**2 + y - 2*z", 0.6, 0.9),
)
"""Kim et al. 2019, table V."""

THREE_LAYERS = (
    Function(
        "(x1 + x2 x3)^3",
        ("x1", "x2", "x3"),
        "(x1 + x2*x3)**3",
        ((-1.0, 1.0),) * 3,
        ((-2.0, 2.0),) * 3,
    ),
)
"""Kim et al. 2019, section III-A: a function that takes three layers."""


def _positive(name: str, text: str, count: int) -> Function:
    return _own(name, text, *((1.0, 3.0),) * count)


def _own(name: str, text: str, *domain: Range) -> Function:
    """A function that is judged on a box half as wide again, which does not cross zero where the domain does not."""
    beyond = tuple((low, high + (high - low) / 2) if low >= 0 else (1.5 * low, 1.5 * high) for low, high in domain)
    return Function(name, tuple(f"x{i}" for i in range(len(domain))), text, domain, beyond)


OWN = (
    _positive("reduced mass", "x0*x1/(x0 + x1)", 2),
    _positive("inhibited reaction", "x0*x1/(x2 + 1)", 3),
    _own("Lorentzian line", "x0/(1 + x1**2)", (1.0, 3.0), (-2.0, 2.0)),
    _positive("gravity", "x0*x1/x2**2", 3),
    _own("distance in a plane", "sqrt((x0 - x1)**2 + (x2 - x3)**2)", *((-2.0, 2.0),) * 4),
    _own("damped oscillation", "exp(-x0)*cos(x1)", (0.0, 2.0), (-3.0, 3.0)),
    _own("torque", "x1*sin(x0)", (-3.0, 3.0), (-2.0, 2.0)),
    _own("alternating power", "x0*cos(x1 - x2)", (1.0, 3.0), (-2.0, 2.0), (-2.0, 2.0)),
    _positive("frequency of a spring", "sqrt(x0/x1)", 2),
    _positive("thermal occupation", "x0**2/(exp(x1) - 1)", 2),
    _positive("work of expansion", "x0*log(x1)", 2),
    _own("Gaussian of two variables", "exp(-x0**2 - x1**2)", (-1.0, 1.0), (-1.0, 1.0)),
    _positive("ratio of products", "x0*x1/(x2*x3)", 4),
    _own("Doppler shift", "x0*(x1 + x2)/(x1 - x3)", (1.0, 3.0), (4.0, 6.0), (0.5, 1.5), (0.5, 1.5)),
    _positive("series and parallel", "x0 + x1*x2/(x3 + 1)", 4),
    _own("addition of velocities", "(x0 + x1)/(1 + x0*x1)", (0.0, 0.9), (0.0, 0.9)),
    _own("substrate inhibition", "x0*x1/(1 + x1**2)", (1.0, 3.0), (0.0, 4.0)),
    _own("law of sines", "x0*sin(x1)/x2", (1.0, 3.0), (-3.0, 3.0), (1.0, 3.0)),
    _positive("loaded divider", "x0/(x1 + x2*x3)", 4),
    _positive("screened potential", "x0*exp(-x1)/x1", 2),
)
"""Functions of two to four variables in the manner of physics, all with two layers of the general primitives."""

SYSTEMS = {
    "bacterial respiration": System(
        ("x", "y"),
        ("20 - x - x*y/(1 + 0.5*x**2)", "10 - x*y/(1 + 0.5*x**2)"),
        ((2.0, 12.0), (12.0, 3.0), (5.0, 1.0), (14.0, 14.0)),
        5.0,
    ),
    "bar magnets": System(
        ("theta", "phi"),
        ("0.5*sin(theta - phi) - sin(theta)", "0.5*sin(phi - theta) - sin(phi)"),
        ((0.4, 2.5), (2.8, 1.2), (4.2, 5.6), (5.8, 3.6)),
        6.0,
    ),
    "glider": System(
        ("v", "theta"),
        ("-0.05*v**2 - sin(theta)", "v - cos(theta)/v"),
        ((3.0, 0.0), (5.0, 0.5), (7.0, 2.0), (4.0, -1.0)),
        6.0,
    ),
    "Lotka-Volterra competition": System(
        ("x", "y"),
        ("3*x - 2*x*y - x**2", "2*y - x*y - y**2"),
        ((0.5, 0.5), (4.0, 0.6), (1.0, 3.5), (6.0, 5.0)),
        6.0,
    ),
    "predator and prey": System(
        ("x", "y"),
        ("x*(4 - x - y/(1 + x))", "y*(x/(1 + x) - 0.075*y)"),
        ((1.0, 2.0), (6.0, 8.0), (3.0, 12.0), (8.0, 3.0)),
        10.0,
    ),
    "shear flow": System(
        ("theta", "phi"),
        ("cos(phi)*cos(theta)/sin(phi)", "(cos(phi)**2 + 0.1*sin(phi)**2)*sin(theta)"),
        ((-2.5, 0.6), (1.0, 2.4), (2.5, 1.2), (-0.8, 1.9)),
        10.0,
    ),
    "van der Pol": System(
        ("x", "y"),
        ("10*(y - (x**3 - x)/3)", "-x/10"),
        ((-2.0, -0.8), (1.5, 0.9), (0.5, -0.3), (-1.0, 0.6)),
        20.0,
    ),
}
"""Systems of two equations after Strogatz, Nonlinear Dynamics and Chaos, in the selection of La Cava et al. 2016."""

BEYOND: dict[str, tuple[Range, Range]] = {
    "bacterial respiration": ((0.5, 20.0), (0.5, 50.0)),
    "bar magnets": ((-1.0, 8.0), (-1.0, 8.0)),
    "glider": ((0.5, 9.0), (-4.0, 30.0)),
    "Lotka-Volterra competition": ((0.0, 8.0), (0.0, 8.0)),
    "predator and prey": ((0.0, 10.0), (0.0, 15.0)),
    "shear flow": ((-5.0, 5.0), (0.3, 2.8)),
    "van der Pol": ((-3.0, 3.0), (-2.0, 2.0)),
}
"""Boxes that reach beyond the trajectories on all sides."""


def _strogatz(name: str, system: System) -> Sequence[Function]:
    return [
        Function(f"{name}, {state}'", system.states, text, BEYOND[name], BEYOND[name], system=system)
        for state, text in zip(system.states, system.derivatives, strict=True)
    ]


STROGATZ = tuple(function for name, system in SYSTEMS.items() for function in _strogatz(name, system))

SUITES: dict[str, tuple[Function, ...]] = {
    "table5": TABLE5,
    "three-layers": THREE_LAYERS,
    "own": OWN,
    "strogatz": STROGATZ,
}
