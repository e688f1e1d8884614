"""No damaged file makes a reader crash, hang or raise another error than the package's; `tools/fuzz.py` runs longer."""

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .targets import TARGETS

FOUND = Path(__file__).parent / "found"
"""Files that once made a reader fail, a folder per target."""
CASES = {"netcdf": 1, "model": 12, "spec": 6, "csv": 25}
SOME = 40


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]

    @settings(max_examples=CASES.get(name, SOME), database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        target.run(target.case(lambda bound: data.draw(st.integers(0, bound - 1))), tmp_path)

    check()


@pytest.mark.parametrize("path", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_was_found_stays_mended(path: Path, tmp_path: Path) -> None:
    assert TARGETS[path.parent.name].run(base64.b64decode(path.read_text()), tmp_path), "it is refused"
