"""Right-hand sides of seven systems of two equations, sampled along their trajectories."""

from collections.abc import Sequence

from sparsedyn_papers.benchmarks.functions import Function, Range, System

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
