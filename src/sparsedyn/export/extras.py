"""Packages that single targets need, and that are not installed with sparsedyn."""

import importlib
from typing import Any


def needed(package: str, extra: str, what: str) -> Any:
    """Return an imported package.

    **Raises:** `ImportError` that names the extra which installs it.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(f'{what} needs {package}: pip install "sparsedyn[{extra}]".', name=package) from error
