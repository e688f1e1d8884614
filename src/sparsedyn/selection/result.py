"""What a search came to: a table of candidates, the best one, and the sparsest that is about as good."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from sparsedyn.data import Trajectories


class SearchResult:
    """Candidates of a search with their errors over folds.

    Attributes: `table`, a row per candidate, in the order in which they were tried: the parameters as `param_NAME`,
    `error` (mean over folds), `error_se` (its standard error), `diverged` (share), `rfmse`, `nonzeros`, `fit_time`
    (seconds, all folds together) and `failure`, why a candidate could not be fitted, else empty; `folds`, a row per
    candidate and fold, as `cross_validate` has them; `params`, the parameters of every candidate; `horizon`.
    """

    def __init__(
        self,
        estimator: Any,
        data: Trajectories,
        params: Sequence[dict[str, Any]],
        folds: pd.DataFrame,
        failures: Sequence[str],
        horizon: int,
    ):
        self.params = list(params)
        self.folds = folds
        self.horizon = horizon
        self.table = summary(self.params, folds, failures)
        self._estimator, self._data = estimator, data
        self._fitted: dict[int, Any] = {}

    @property
    def best_index_(self) -> int:
        """The candidate of least error."""
        return int(np.nanargmin(self.table["error"].to_numpy(np.float64)))

    @property
    def best_params_(self) -> dict[str, Any]:
        """Its parameters."""
        return dict(self.params[self.best_index_])

    @property
    def best_(self) -> Any:
        """The candidate of least error, fitted to all data at the first use."""
        return self._on_all_data(self.best_index_)

    def limit(self, within: float = 1.0) -> float:
        """Return the least error and `within` times its standard error over folds."""
        errors, spreads = (self.table[name].to_numpy(np.float64) for name in ("error", "error_se"))
        if not np.isfinite(spreads[self.best_index_]):
            raise ValueError("sparsest: expected at least two folds, whose spread is the standard error; got one.")
        return float(errors[self.best_index_] + within * spreads[self.best_index_])

    def sparsest_index(self, within: float = 1.0) -> int:
        """Return the candidate with the fewest nonzero weights or terms of those within the `limit`.

        Of several as sparse it is the one of least error. Raises `ValueError` where models do not say how many they
        have.
        """
        near = self.table[self.table["error"] <= self.limit(within)]
        if near["nonzeros"].isna().any():
            raise ValueError("sparsest: expected models that say `nonzeros_`; got others. Use best_.")
        return int(near.sort_values(["nonzeros", "error"], kind="stable").index[0])

    def sparsest_params(self, within: float = 1.0) -> dict[str, Any]:
        """Return the parameters of the `sparsest` candidate."""
        return dict(self.params[self.sparsest_index(within)])

    def sparsest(self, within: float = 1.0) -> Any:
        """Return the sparsest model whose error is within one standard error of the least, fitted to all data.

        `within` is the number of standard errors. Source: Breiman et al., Classification and Regression Trees, 1984.
        """
        return self._on_all_data(self.sparsest_index(within))

    def _on_all_data(self, index: int) -> Any:
        if index not in self._fitted:
            self._fitted[index] = clone(self._estimator).set_params(**self.params[index]).fit(self._data)
        return self._fitted[index]

    def __repr__(self) -> str:
        """Say how many candidates there are, and which is best."""
        best = self.table.loc[self.best_index_]
        return (
            f"SearchResult({len(self.table)} candidates, least error {best['error']:.3g} at horizon {self.horizon} "
            f"with {self.best_params_})"
        )


def summary(params: Sequence[dict[str, Any]], folds: pd.DataFrame, failures: Sequence[str]) -> pd.DataFrame:
    """Return the table of a `SearchResult`."""
    names = list(dict.fromkeys(name for one in params for name in one))
    columns = {f"param_{name}": pd.Series([one.get(name) for one in params], dtype=object) for name in names}
    grouped = folds.groupby("candidate")
    mean = grouped[["error", "diverged", "rfmse", "nonzeros"]].mean()
    found = mean.assign(error_se=grouped["error"].sem(ddof=1), fit_time=grouped["fit_time"].sum())
    found = found[["error", "error_se", "diverged", "rfmse", "nonzeros", "fit_time"]].reindex(range(len(params)))
    # Over some of the folds only, errors would not compare.
    found.loc[[bool(failure) for failure in failures], ["error", "error_se"]] = np.nan
    return pd.concat([pd.DataFrame(columns), found], axis=1).assign(failure=list(failures))
