"""Tutorials whose code is run: the page of hare and lynx."""

import contextlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("pint")
DOCS = Path(__file__).parents[1] / "docs"


def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hare_and_lynx", DOCS / "hare_and_lynx.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_hare_and_lynx(tmp_path: Path):
    module = page()
    text = module.PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"hare-and-lynx/(\w+)\.png", text)) == {path.stem for path in module.PICTURES.glob("*.png")}
    namespace: dict[str, Any] = {}
    with contextlib.chdir(tmp_path):
        again = module.run(text, namespace)
    assert (tmp_path / "fit.png").exists()
    assert (tmp_path / "next.png").exists()
    assert again.count("```python") == text.count("```python")
    learner = namespace["learner"]
    assert len(learner.alternatives(1e6)) >= 2
    assert set(learner.compare_candidates()["state"]) == {"hare", "lynx"}
    assert set(learner.constants()["unit"]) <= {"1/a", ""}
    assert namespace["suggested"]["difference"][0] > 0
