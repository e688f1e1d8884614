"""The gallery page: every function on it, every picture in place and small, and its code runs."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from sparsedyn import plotting

DOCS = Path(__file__).parents[2] / "docs"
LARGEST = 60_000
QUICKER = {
    "epochs=60": "epochs=2",
    '"epochs": 40': '"epochs": 2',
    "(0.2, 0.4, 0.6, 0.75, 0.85, 0.9, 0.95, 0.98)": "(0.2, 0.6, 0.9)",
    "cv=4": "cv=2",
    "trials=1": 'trials=0, proposals=False, candidates=["_*x0 + _", "_*x0*exp(-x1) + _"]',
}
"""What the page says, and what is run in its place, since only the pictures are to be there."""


def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_function_has_a_picture_that_is_small():
    blocks = list(gallery().blocks())
    shown = "".join(code for code, _ in blocks)
    for name in set(plotting.__all__) - {"PALETTE", "Look"}:
        assert f"plotting.{name}(" in shown, name
    named = {name for _, name in blocks if name is not None}
    assert {str(path.relative_to(DOCS)) for path in (DOCS / "images" / "gallery").iterdir()} == named
    for name in named:
        assert (DOCS / name).stat().st_size < LARGEST, name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")  # examples train for seconds
def test_the_page_runs_and_draws_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = gallery()
    page = module.PAGE.read_text(encoding="utf-8")
    for said, run in QUICKER.items():
        assert said in page
        page = page.replace(said, run)
    monkeypatch.setattr(module, "PAGE", tmp_path / "gallery.md")
    module.PAGE.write_text(page, encoding="utf-8")
    written = module.run(tmp_path)
    assert len(written) == sum(name is not None for _, name in module.blocks())
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
