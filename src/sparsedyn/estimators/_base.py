"""What every estimator has: parameters that are checked, a fitted state that is asked for, and a file."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from sparsedyn.estimators._files import Stored, write


class Rule(NamedTuple):
    """Which values a parameter may have, and how a message says so."""

    fine: Callable[[Any], bool]
    expected: str


def is_whole(value: Any, least: int = 0) -> bool:
    """Whether this is an integer, NumPy's included, of at least `least`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def is_real(value: Any) -> bool:
    """Whether this is a real number, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def whole(least: int) -> Rule:
    """Integers of at least `least`."""
    return Rule(lambda value: is_whole(value, least), f"an integer of at least {least}")


def positive(expected: str, below: float = np.inf) -> Rule:
    """Numbers above zero and below a bound."""
    return Rule(lambda value: is_real(value) and 0.0 < float(value) < below, expected)


def nonnegative(expected: str = "a number of at least 0") -> Rule:
    """Finite numbers of at least zero."""
    return Rule(lambda value: is_real(value) and 0.0 <= float(value) < np.inf, expected)


def one_of(names: Iterable[str]) -> Rule:
    """Some texts."""
    known = tuple(names)
    return Rule(lambda value: isinstance(value, str) and value in known, f"one of {', '.join(known)}")


def optional(rule: Rule, expected: str) -> Rule:
    """`None`, or what another rule allows."""
    return Rule(lambda value: value is None or rule.fine(value), expected)


SEED = Rule(lambda value: is_whole(value) and value < 2**32, "an integer from 0 to 2**32 - 1")
FLAG = Rule(lambda value: isinstance(value, bool | np.bool_), "True or False")
TIME = one_of(("continuous", "discrete"))
HELD_OUT = positive("a share between 0 and 1 of the samples to hold out", below=1.0)


class AbstractEstimator(BaseEstimator):
    """A scikit-learn-compatible estimator whose parameters are a table of rules and whose fit can be saved.

    A subclass gives `_rules`, the name of an attribute that only `fit` sets (`_fitted`), the versions of its file
    format that it reads, the last of which it writes (`_versions`), and what is in its file.
    """

    _rules: ClassVar[Mapping[str, Rule]]
    _fitted: ClassVar[str]
    _versions: ClassVar[tuple[int, ...]] = (1,)

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """scikit-learn reads the signature at every call, which takes a good part of a short fit."""
        names: list[str] = super()._get_param_names()
        return names

    def check_parameters(self) -> None:
        """Raise `ValueError` for the first parameter that is out of range, `TypeError` for one of no known kind."""
        self._check_rules(*self._rules)
        self._check_combination()

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one safetensors file, atomically; see `sparsedyn.load`.

        Raises `ValueError` for parameters that a file cannot hold, such as functions of your own.
        """
        self._check_fitted()
        arrays, header = self._to_file()
        write(path, f"{type(self).__name__}/{self._versions[-1]}", arrays, header | self._extras())

    def _check_rules(self, *names: str) -> None:
        """Raise `ValueError` for the first of these parameters that is out of range."""
        for name in names:
            rule, value = self._rules[name], getattr(self, name)
            if not rule.fine(value):
                raise ValueError(f"{name}: expected {rule.expected}; got {value!r}.")

    def _check_combination(self) -> None:
        """Raise `ValueError` for parameters that do not go together."""

    def _extras(self) -> dict[str, Any]:
        """Return entries of the header that all estimators of a kind have."""
        return {}

    def _restore_extras(self, header: Mapping[str, Any]) -> None:
        """Take over what `_extras` returned."""

    @abstractmethod
    def _to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays, and everything else as JSON values."""

    @classmethod
    @abstractmethod
    def _from_file(cls, stored: Stored) -> Any:
        """Return the estimator whose `_to_file` gave this."""

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a fit."""
        return self._fitted in vars(self)

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"{type(self).__name__}: not fitted yet. Call fit first, or sparsedyn.load(path).")
