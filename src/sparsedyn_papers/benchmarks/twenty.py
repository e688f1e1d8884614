"""Twenty functions in the manner of physics, settled before anything was searched for."""

from sparsedyn_papers.benchmarks.functions import Function, Range


def _positive(name: str, text: str, count: int) -> Function:
    return _own(name, text, *((1.0, 3.0),) * count)


def _own(name: str, text: str, *domain: Range) -> Function:
    """A function that is judged on a box half as wide again, which does not cross zero where the domain does not."""
    beyond = tuple((low, high + (high - low) / 2) if low >= 0 else (1.5 * low, 1.5 * high) for low, high in domain)
    return Function(name, tuple(f"x{i}" for i in range(len(domain))), text, domain, beyond)


TWENTY = (
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
