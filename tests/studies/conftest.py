"""A kind of study for tests, and studies without reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparsedyn.studies import kinds, runner
from sparsedyn.studies.document import Document
from sparsedyn.studies.files import write_text

from .powers import POWERS


@pytest.fixture
def powers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let studies of the kind of `powers.py` be read and run like all others."""
    known, resolved = kinds._known(), kinds._resolved
    monkeypatch.setattr(kinds, "_known", lambda: {**known, "powers": "powers"})
    monkeypatch.setattr(kinds, "_resolved", lambda place: POWERS if place == "powers" else resolved(place))


@pytest.fixture(scope="module")
def kept_compiled() -> Iterator[None]:
    """Keep what is compiled, which searches forget after every rung to save memory: the next study uses it again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jax.clear_caches", lambda: None)
        yield


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is tested elsewhere and takes longer than the studies of these tests."""

    def write_report(document: Document, directory: Path) -> Path:
        write_text(directory / "report.html", "drawn")
        return directory / "report.html"

    monkeypatch.setattr(runner, "write_report", write_report)
