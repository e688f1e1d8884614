"""Optuna, which an extra brings along, without its announcements."""

import warnings
from typing import Any


def optuna_module() -> Any:
    """Return Optuna; raises `ImportError` that names the extra."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import optuna
    except ImportError as error:
        raise ImportError(
            f"search: trials are chosen by Optuna, which cannot be imported ({error}). Run: pip install "
            '"sparsedyn[search]"'
        ) from error
    return optuna


def quiet_study(**options: Any) -> Any:
    """Return a study in memory, which minimizes, without Optuna's message about it."""
    optuna = optuna_module()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(**options)
    finally:
        optuna.logging.set_verbosity(before)
