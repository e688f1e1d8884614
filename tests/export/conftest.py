"""Tools that run exported models, where they are there."""

import shutil

import pytest

from .made import MODELS

SLOW = ("known", "known map", "mean", "softplus", "gelu")
"""Models that are simulated on the host, or whose formulas SymPy takes long for."""


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in MODELS])
def name(request: pytest.FixtureRequest) -> str:
    """The name of a model."""
    return request.param


@pytest.fixture(scope="session")
def compiler() -> str:
    """A C compiler."""
    found = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    if found is None:
        pytest.skip("there is no C compiler")
    return found


@pytest.fixture(scope="session")
def node() -> str:
    """Node."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no Node")
    return found
