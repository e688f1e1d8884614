"""The comparison of published pages: what counts as moved, and what does not."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "compare_pages.py"
    spec = importlib.util.spec_from_file_location("compare_pages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OLD = """# T

<table><tbody><tr><th scope="row">L1</th><td>0.25<small>0.1–0.3</small></td></tr></tbody></table>

Wall time 3 min 2 s. With Python 3.11, numpy 2.4.

| a | b |
| :-- | --: |
| Dense | **1,375**<br><small>2.0e−6–3</small> |

12 of 400 forecasts.
"""
NEW = """# T

| a | b | c |
| :-- | --: | --: |
| L1 | *0.25*<br><small>0.1–0.3</small> | 7 |
| Dense | 1,375 | 2.0e−6 3 |

Wall time 5 min 20 s. With Python 3.12, numpy 2.5.

12 of 400.
"""


def test_places_and_times_do_not_matter(tool: ModuleType):
    assert tool.numbers_of(OLD)["Dense"] == {"1,375": 1, "2.0e−6": 1, "3": 1}
    assert tool.gone(tool.numbers_of(OLD), tool.numbers_of(NEW)) == {}


def test_what_moved_is_named_by_its_row(tool: ModuleType):
    moved = tool.gone(tool.numbers_of(OLD), tool.numbers_of(NEW.replace("1,375", "1,374").replace("of 400", "of 401")))
    assert {label: list(numbers) for label, numbers in moved.items()} == {"Dense": ["1,375"], tool.AROUND: ["400"]}
