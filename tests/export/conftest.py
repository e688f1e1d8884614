"""Tools that run exported models, where they are there."""

import shutil

import pytest


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
