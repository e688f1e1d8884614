"""SINDy and PySINDy on the same clean trajectories: three plants, three sizes, libraries to degree 5.

    pip install ".[bench]" && pytest benchmarks/test_sindy.py --benchmark-json=sindy.json

Both have the same library and threshold. `measured` gives both the derivatives, so that coefficients are the same to
rounding; in `estimated` PySINDy takes finite differences, and this package integrates over rows. Processor time of a
fit, checks included.
"""

import numpy as np
import pytest

import sparsedyn
from sparsedyn import SINDy

pysindy = pytest.importorskip("pysindy", reason="pip install '.[bench]'")

THRESHOLD = 0.1
PLANTS = {"lorenz63": 2, "duffing": 3, "lotka-volterra": 2}
SIZES = ((1, 1000), (4, 1000), (10, 5000))
CASES = [
    (plant, degree, size)
    for plant, least in PLANTS.items()
    for degree in (2, 3, 5)
    for size in SIZES
    if degree >= least
]


def rates(data, degree):
    """Derivatives by the equations that are found, at all rows."""
    model = SINDy(degree, THRESHOLD).fit(data)
    library, coefficients = model.library_, model.coefficients_
    return [
        library.evaluate(np.concatenate(pair, axis=1)) @ coefficients
        for pair in zip(data.states, data.inputs, strict=True)
    ]


def ours(data, degree, x_dot):
    """Return coefficients (term, state)."""
    return SINDy(degree, THRESHOLD).fit(data, x_dot=x_dot).coefficients_


def theirs(data, degree, x_dot):
    """Return coefficients (term, state)."""
    model = pysindy.SINDy(
        optimizer=pysindy.STLSQ(threshold=THRESHOLD),
        feature_library=pysindy.PolynomialLibrary(degree=degree),
        differentiation_method=pysindy.FiniteDifference(),
    )
    model.fit(list(data.states), t=data.dt, u=list(data.inputs) if data.input_names else None, x_dot=x_dot)
    return np.asarray(model.coefficients()).T


@pytest.mark.parametrize("fit", [ours, theirs], ids=["sparsedyn", "pysindy"])
@pytest.mark.parametrize("derivatives", ["measured", "estimated"])
@pytest.mark.parametrize(("plant", "degree", "size"), CASES)
def test_fit(benchmark, plant, degree, size, derivatives, fit):
    data = sparsedyn.simulate(plant, trajectories=size[0], steps=size[1], seed=0)
    x_dot = rates(data, degree) if derivatives == "measured" else None
    benchmark.group = f"{plant}, degree {degree}, {size[0]} x {size[1]}, {derivatives}"
    found = benchmark.pedantic(fit, args=(data, degree, x_dot), rounds=5, warmup_rounds=1)
    if derivatives == "measured":
        np.testing.assert_allclose(found, ours(data, degree, x_dot), atol=1e-6)
