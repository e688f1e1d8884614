"""Symbolic regression by cheap proposals and equation learners: a scikit-learn-compatible regressor."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float
from scipy.stats import norm
from sklearn.base import RegressorMixin

from sparsedyn._warnings import Finding, Report
from sparsedyn.equations import Columns, Statement, compiled, rounded, statements, text
from sparsedyn.estimators._base import FLAG, AbstractEstimator, whole
from sparsedyn.estimators._columns import columns_of, target_of
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators._progress import search_bar
from sparsedyn.estimators.equation._checks import RULES, check_features, check_primitives, check_target
from sparsedyn.estimators.equation._expressions import Equation, table
from sparsedyn.estimators.equation._forms import Fate, fates_table, forms_of
from sparsedyn.estimators.equation._poles import poles
from sparsedyn.estimators.equation._saving import (
    restored_equations,
    restored_fates,
    stored_equations,
    stored_fates,
    stored_parameters,
)
from sparsedyn.estimators.equation._search import EXACT, Found
from sparsedyn.estimators.equation._settings import Search, search_of
from sparsedyn.estimators.equation._tables import Constant, Given, constants_of, equations_of
from sparsedyn.estimators.equation._units import Unit, checked_units
from sparsedyn.estimators.equation.trajectories._doubts import EACH
from sparsedyn.models import Primitive

LITTLE = 0.5
"""Share of the target's variance that an equation may leave without a word."""
OFF, OFTEN, SHARE = 0.2, 0.1, 0.05
"""Relative errors that are told of in so many samples, where fewer than this share of them make the variance."""


class EquationRegressor(RegressorMixin, AbstractEstimator):
    """Finds `y = f(X)` as an equation: cheap proposals first, then many small equation learners.

    Power laws, products of simple factors, sums of few terms and ratios are proposed for the table and for what
    symmetries or units reduce it to. Only where these leave something are networks trained, refined and pruned.

    Parameters
    ----------
    trials : independent searches by networks; the best equation of all is taken. With 0 there are no networks, only
        proposals and candidates, which takes seconds.
    seed : of everything random; equal data and parameters give equal equations.
    primitives : the functions that equations may be made of: `"general"`, `"kim2019"`, or a table of names and how many
        of each a layer has, such as `{"constant": 1, "identity": 3, "sin": 2, "product": 2}`; see `PRIMITIVES`.
        Keys may be primitives of one's own.
    hidden : layers of primitives: how deep functions may be nested.
    regularizer : `"l05"` (smoothed L0.5) or `"l0"` (hard-concrete gates).
    networks, generations : networks that a trial trains at once, and how often at most; it ends as soon as nothing is
        left to explain.
    steps : steps of gradient descent of every network, before its refinement.
    share : of the samples, held out to judge equations.
    proposals : whether there are cheap proposals before any network.
    units : of every column and of the target, by name: texts such as `"kg*m/s**2"`, exponents such as
        `{"m": 1, "s": -2}`, or `None` for numbers. The target is called as `y` is, or `"y"`. Only homogeneous
        equations are looked for, and constants have units.
    candidates : forms of your own, as `"a*x/(b + x)"`: names that are no columns are constants to be fitted, and so is
        every `_`. They are judged with the rest; see `compare_candidates`.

    Attributes after `fit`: `equation_`, `candidates_` (all candidate equations, the chosen first), `constants_`
    (numbers of the equation, with standard errors and units), `found_` (the search by networks, None
    if it took none; not kept in files), `report_` (what the checks at the end of the fit found; each finding is also a
    `SparsedynWarning`), `feature_names_in_`, `n_features_in_`.

    Source: Kim et al. 2019; Udrescu and Tegmark 2020 for the use of symmetries and units. The search differs.
    """

    _rules = RULES | {"trials": whole(0), "proposals": FLAG}
    _fitted = "equation_"
    report_: Report = Report()

    def __init__(
        self,
        trials: int = 8,
        seed: int = 0,
        *,
        primitives: str | Mapping[str | Primitive, int] = "general",
        hidden: int = 2,
        regularizer: str = "l05",
        networks: int = 4,
        generations: int = 4,
        steps: int = 200,
        share: float = 1 / 3,
        proposals: bool = True,
        units: Mapping[str, Unit] | None = None,
        candidates: Sequence[str] | str | None = None,
    ):
        self.trials = trials
        self.seed = seed
        self.primitives = primitives
        self.hidden = hidden
        self.regularizer = regularizer
        self.networks = networks
        self.generations = generations
        self.steps = steps
        self.share = share
        self.proposals = proposals
        self.units = units
        self.candidates = candidates

    def fit(self, X: Any, y: Any, *, progress: bool | None = None) -> "EquationRegressor":
        """Find the equation of `y` (sample,) in the columns of `X` (sample, feature), an array or a DataFrame.

        `progress` draws a bar (default: on a terminal). Raises `DataError` for data that cannot be used: not numbers,
        not finite, a constant column, too few samples.
        """
        self.check_parameters()
        columns, names = columns_of(X)
        check_features(columns, names)
        target = target_of(y, len(columns))
        check_target(target)
        units = checked_units(self.units, names, str(getattr(y, "name", None) or "y"))
        own = forms_of(self.candidates, names)
        given = Given(self.settings(), self.share, self.proposals, units, own, self.primitives != "general")
        with search_bar("searching", progress) as on_progress:
            candidates, fates, found = equations_of(given, columns, target, names, on_progress=on_progress)
        self.found_: Found | None = found
        self.fates_: list[Fate] = fates
        self._adopt(candidates, names, constants_of(candidates[0].expression, names, columns, target, units))
        said = [*self._explains(), *self._many(len(target)), *_poles(candidates[0].expression, names, columns)]
        said += _largest_only(self._function(columns)[:, 0], target)
        self.report_ = Report(said)
        self.report_.warn()
        return self

    def predict(self, X: Any) -> Float[np.ndarray, " sample"]:
        """Return the equation's values; not finite where it has none."""
        self._check_fitted()
        columns, _ = columns_of(X, list(self.feature_names_in_))
        return self._function(columns)[:, 0]

    def equation(self, digits: int | None = None) -> sympy.Expr:
        """Return the equation in the column names, exactly as `predict` uses it or rounded to so many digits.

        Its variables are `sparsedyn.equations.symbol(name)`, which are real: to SymPy, `sympy.Symbol(name)` is another.
        """
        self._check_fitted()
        return self.equation_ if digits is None else rounded(self.equation_, digits)

    def statements(self) -> list[Statement]:
        """Return the equation with its left side, `y`, since the target's name is not known."""
        return statements("value", ["y"], [self.equation()])

    def pareto(self) -> pd.DataFrame:
        """Return the candidates as a table of `complexity`, `error`, `weights`, `score`, `equation`, simplest first.

        Errors are root mean squares, the larger of training and held-out samples, as shares of the target's standard
        deviation.
        """
        self._check_fitted()
        return table(self.candidates_)

    def constants(self, level: float = 0.95) -> pd.DataFrame:
        """Return the numbers that the equation multiplies by or adds: a table of `value`, `low`, `high`, `unit`.

        Low and high are the ends of an interval of this level, by Laplace's approximation with the residuals' variance,
        all these numbers being free, rounded ones too. Exponents are part of the form.
        """
        self._check_fitted()
        if not 0 < level < 1:
            raise ValueError(f"level: expected a number between 0 and 1; got {level!r}.")
        width = float(norm.ppf(0.5 + level / 2))
        rows = [(c.value, c.value - width * c.error, c.value + width * c.error, c.unit) for c in self.constants_]
        return pd.DataFrame(rows, columns=["value", "low", "high", "unit"])

    def alternatives(self, odds: float = 20.0) -> pd.DataFrame:
        """Return the equations that the data can hardly tell apart, best first: `equation`, `odds`, `error`.

        `odds` says by how much the best is more probable, `exp(difference of scores / 2)`; up to which, is asked.
        """
        self._check_fitted()
        best = self.candidates_[0].score
        rows = [
            (one.expression, float(np.exp(min((one.score - best) / 2, 700.0))), one.error) for one in self.candidates_
        ]
        return pd.DataFrame([row for row in rows if row[1] <= odds], columns=["equation", "odds", "error"])

    def compare_candidates(self) -> pd.DataFrame:
        """Return how every form in `candidates` fared, the best first: `candidate`, `equation`, `error`, `odds`.

        `odds` says by how much the chosen equation is more probable, as in `alternatives`: 1 where it is that form.
        There is no equation where a form has no values on the data.
        """
        self._check_fitted()
        return fates_table(self.fates_, self.candidates_[0].score, "target").drop(columns="target")

    def settings(self) -> Search:
        """Return the search that these parameters ask for."""
        return search_of(self)

    def _explains(self) -> list[Finding]:
        """Return what is to be said of an equation that explains little, or of none."""
        best = self.candidates_[0]
        more = "Give columns that are missing, more samples, or forms of your own (candidates)."
        if not best.expression.free_symbols:
            said = f"fit: the equation is a constant: no column explains the target. {more}"
            return [Finding("empty-equation", said)]
        if best.error**2 > LITTLE:
            said = f"fit: the equation explains {max(0.0, 1 - best.error**2):.0%} of the target's variance. {more}"
            return [Finding("poorly-explained", said)]
        return []

    def _many(self, samples: int) -> list[Finding]:
        """Return what is to be said of an equation with more fitted numbers than the samples carry."""
        best = self.candidates_[0]
        numbers = sum(one.is_Float for one in sympy.preorder_traversal(best.expression))
        if best.error <= EXACT or samples >= EACH * numbers:
            return []
        said = (
            f"fit: {numbers} numbers of the equation were fitted to {samples} samples: it may describe noise. Give "
            "more samples or the form that you expect (candidates), and look at alternatives()."
        )
        return [Finding("few-values", said)]

    def _extras(self) -> dict[str, Any]:
        return self.report_.to_header()

    def _restore_extras(self, header: Mapping[str, Any]) -> None:
        self.report_ = Report.from_header(header)

    def _adopt(self, candidates: list[Equation], names: list[str], constants: list[Constant]) -> "EquationRegressor":
        """Take over what was found."""
        self.candidates_ = candidates
        self.constants_ = constants
        self.equation_: sympy.Expr = candidates[0].expression
        self.feature_names_in_ = np.asarray(names, object)
        self.n_features_in_ = len(names)
        self._function: Columns = compiled([self.equation_], names)
        return self

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # Compiled code cannot be handed to another process; it is compiled there.
        state.pop("_function", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "equation_"):
            self._function = compiled([self.equation_], list(self.feature_names_in_))

    def _check_combination(self) -> None:
        check_primitives(self.primitives)
        if not self.trials and not self.proposals and not self.candidates:
            raise ValueError(
                "trials: 0 leaves nothing to search with beside proposals=False. "
                "Give at least 1 trial, proposals=True, or candidates of your own."
            )

    def _to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, header = stored_equations([self.candidates_], [str(name) for name in self.feature_names_in_])
        constants = [list(constant) for constant in self.constants_]
        return arrays, {
            "parameters": stored_parameters(self.get_params(deep=False)),
            **header,
            "constants": constants,
        } | {"fates": stored_fates(self.fates_, list(self.feature_names_in_))}

    @classmethod
    def _from_file(cls, stored: Stored) -> "EquationRegressor":
        regressor = cls(**stored.header["parameters"])
        regressor._check_rules("hidden")
        (candidates,) = restored_equations(stored, regressor.settings().hidden)
        constants = [Constant(*row) for row in stored.header.get("constants", ())]
        regressor.fates_ = restored_fates(stored, list(stored.header["names"]))
        return regressor._adopt(candidates, list(stored.header["names"]), constants)


def _largest_only(values: Float[np.ndarray, " sample"], target: Float[np.ndarray, " sample"]) -> list[Finding]:
    """Return what is to be said where few samples are all of the target's variance, and the equation misses others."""
    squares = np.square(target / np.abs(target).max())
    count = np.sum(squares) ** 2 / np.sum(squares**2)
    missed = float(np.mean(np.abs(values - target) > OFF * np.abs(target)))
    if count > SHARE * len(target) or missed < OFTEN:
        return []
    advice = "Fit the logarithm of the target instead" if target.min() > 0 else "Fit samples of alike size"
    said = (
        f"fit: the largest {np.ceil(count):.0f} of {len(target)} samples are nearly all of the target's variance, by "
        f"which equations are judged; the equation is off by more than {OFF:.0%} for {missed:.0%} of the samples. "
        f"{advice}, if small values matter."
    )
    return [Finding("largest-only", said)]


def _poles(expr: sympy.Expr, names: list[str], columns: Float[np.ndarray, "sample feature"]) -> list[Finding]:
    return [
        Finding(
            "poles",
            f"fit: the equation has a pole among the data, where {text(base, 4)} is zero; near it, values are wrong "
            "unless the law has that pole. Look at alternatives() and at the candidates_, give units or forms of your "
            "own (candidates), or more samples.",
        )
        for base in poles(expr, names, columns)
    ]
