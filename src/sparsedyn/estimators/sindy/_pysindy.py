"""Models from PySINDy and for PySINDy: the same terms and coefficients in the other's classes."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators.sindy._fitting import Identified
from sparsedyn.estimators.sindy._settings import functions_of
from sparsedyn.estimators.sindy.sindy import SINDy
from sparsedyn.models import PRIMITIVES, Library, Primitive

HIGHEST = 12


def to_pysindy(model: SINDy) -> Any:
    """Return a fitted `pysindy.SINDy` with the terms and coefficients of a fitted first-order `SINDy`.

    Raises `ImportError` without PySINDy, `ValueError` for order 2 and for functions of several arguments.
    """
    peer = _pysindy()
    library, names = model.library_, (*model.state_names_, *model.input_names_)
    if model.time_ == "discrete" or model.known_ is not None:
        raise ValueError("to_pysindy: expected derivatives without a known part; got a map, or a known part.")
    if model.model_.order != 1:
        raise ValueError("to_pysindy: expected a model of order 1; got order 2, which PySINDy does not have.")
    if several := [f.name for f in library.functions if f.arity != 1]:
        raise ValueError(f"to_pysindy: expected functions of one argument; got {', '.join(several)}. Leave them out.")
    terms = peer.PolynomialLibrary(degree=library.degree, include_bias=library.constant)
    if library.functions:
        # PySINDy counts the arguments that the code of a function takes.
        functions = [_of_one(f) for f in library.functions]
        labels = [lambda x, name=f.name: f"{name}({x})" for f in library.functions]
        terms = terms + peer.CustomLibrary(library_functions=functions, function_names=labels)
    made = peer.SINDy(optimizer=peer.STLSQ(threshold=0.0, alpha=0.0), feature_library=terms)
    rng = np.random.default_rng(0)
    rows = 2 * library.size + 2
    x, u = (rng.uniform(0.5, 1.5, (rows, len(columns))) for columns in (model.state_names_, model.input_names_))
    # Fitted to anything at all, so that it has its shapes; the coefficients then take their places.
    made.fit(x, t=1.0, x_dot=x, u=u if model.input_names_ else None, feature_names=list(names))
    made.optimizer.coef_ = model.coefficients_.T.copy()
    made.optimizer.ind_ = made.optimizer.coef_ != 0
    return made


def from_pysindy(fitted: Any) -> SINDy:
    """Return a fitted `SINDy` with the terms and coefficients of a fitted `pysindy.SINDy`, matched by their names.

    Monomials, and functions of one variable that `PRIMITIVES` has, can be taken over. The sample time is not known to
    PySINDy's models, `dt_` is NaN. Raises `ImportError` without PySINDy, `ValueError` for other terms.
    """
    _pysindy()
    coefficients = np.asarray(fitted.coefficients(), np.float64)
    inputs = int(getattr(fitted, "n_control_features_", 0))
    found = [name.replace("(1 ", "(") for name in fitted.get_feature_names()]
    variables = fitted.feature_library.n_features_in_
    names = list(
        fitted.feature_names or [f"x{i}" for i in range(variables - inputs)] + [f"u{i}" for i in range(inputs)]
    )
    functions = tuple(dict.fromkeys(name.partition("(")[0] for name in found if "(" in name))
    library = _library(found, names, tuple(f for f in functions if f in PRIMITIVES))
    places = {name: i for i, name in enumerate(library.names(names))}
    placed = np.zeros((library.size, len(coefficients)))
    placed[[places[name] for name in found]] = coefficients.T
    estimator = SINDy(
        library.degree,
        float(getattr(fitted.optimizer, "threshold", 0.0)),
        functions=tuple(f.name for f in library.functions),
        constant=library.constant,
    )
    states, forcing = tuple(names[: variables - inputs]), tuple(names[variables - inputs :])
    variables_ = Variables(states, forcing, ("",) * len(states), ("",) * len(forcing), float("nan"))
    sizes = np.full(placed.shape[1], float(estimator.threshold))  # type: ignore[arg-type]
    return estimator._adopt(Identified(placed, sizes), library, variables_)


def _library(found: list[str], names: list[str], functions: tuple[str, ...]) -> Library:
    """The smallest library with terms of these names."""
    unknown: list[str] = []
    for degree in range(HIGHEST + 1):
        constant = "1" in found
        if not (degree or constant or functions):
            continue
        library = Library(len(names), degree, functions_of(functions), constant)
        known = set(library.names(names))
        unknown = [name for name in found if name not in known]
        if not unknown:
            return library
    raise ValueError(
        f"from_pysindy: expected monomials and functions of one variable ({', '.join(PRIMITIVES)}); got "
        f"{', '.join(unknown[:5])}. Fit with such terms."
    )


def _of_one(primitive: Primitive) -> Callable[[Any], Any]:
    alone = Library(1, 0, (primitive,), constant=False)
    return lambda x: alone.evaluate(np.asarray(x)[..., None])[..., 0]


def _pysindy() -> Any:
    try:
        return importlib.import_module("pysindy")
    except ImportError as error:
        raise ImportError('PySINDy is not installed. Install it with: pip install "sparsedyn[peers]"') from error
