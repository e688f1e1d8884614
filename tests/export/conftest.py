"""Tools that run exported models, where they are there."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, the one of the system."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium (apt-get install chromium)")
    # Chromium has no sandbox for root, whom tests in containers mostly run as.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()
