"""What files claim to hold is compared with a budget of memory before anything is allocated."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparsedyn import _memory
from sparsedyn.data import DataError, look, read
from sparsedyn.data.budget import check_memory, parsed_json

BUDGET = "20 MB"


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_memory.VARIABLE, BUDGET)


def archive(path: Path, shape: tuple[int, ...], content: bytes) -> None:
    """Write an npz of one array that claims a shape, whatever its content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": shape})
        file.writestr("x.npy", head.getvalue() + content)


def bomb(path: Path) -> None:
    archive(path, (1_000_000, 2), bytes(16_000_000))


def claimed_rows(path: Path) -> None:
    archive(path, (10**12, 2), bytes(64))


def many_rows(path: Path) -> None:
    pq.write_table(pa.table({"t": np.zeros(2_000_000), "x": np.zeros(2_000_000)}), path, compression="zstd")


def long_line(path: Path) -> None:
    path.write_text("t,x\n0,1\n1," + "2" * 10_000_001 + "\n")


def long_cell(path: Path) -> None:
    path.write_text('t,x\n0,1\n1,"' + "2," * 100_000 + '"\n')


def wide_head(path: Path) -> None:
    path.write_text(",".join(f"c{i}" for i in range(20_001)) + "\n1,2\n")


REFUSED: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "archive of zeros": ("x.npz", bomb, "1 arrays, which would take 64 MB of memory; the budget is 20 MB"),
    "rows that are not there": ("x.npz", claimed_rows, "claims the shape (1000000000000, 2), and has"),
    "rows of one value": ("x.parquet", many_rows, "2000000 rows of 2 columns, which would take 48 MB"),
    "long line": ("x.csv", long_line, "line 3 has at least 1"),
    "wide head": ("x.csv", wide_head, "line 1, the first row, has 20001 columns"),
}


@pytest.mark.usefixtures("small_budget")
@pytest.mark.parametrize("case", REFUSED)
def test_files_beyond_the_budget_are_refused_before_they_are_read(case: str, tmp_path: Path) -> None:
    name, make, expected = REFUSED[case]
    make(tmp_path / name)
    held = (tmp_path / name).stat().st_size
    tracemalloc.start()
    try:
        for how in (lambda path: read(path, states=["x"], time="t"), look):
            with pytest.raises(DataError) as caught:
                how(tmp_path / name)
            assert str(caught.value).startswith(str(tmp_path / name))
            assert expected in str(caught.value)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000 + 8 * held
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(pd.__version__ < "3", reason="pandas 2 copies tables whose columns get names")
def test_a_table_is_in_memory_once(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(0), 100_000
    columns = {"t": np.arange(rows) * 0.1} | {f"x{i}": rng.normal(size=rows) for i in range(11)}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    tracemalloc.start()
    try:
        data = read(tmp_path / "x.parquet", states=[f"x{i}" for i in range(8)], inputs=["x8", "x9", "x10"], time="t")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * sum(array.nbytes for part in (data.states, data.inputs, data.time) for array in part)
    assert data.states[0].flags.c_contiguous
    np.testing.assert_array_equal(data.states[0][:, 3], columns["x3"])


def test_a_cell_that_is_too_long_is_a_data_error(tmp_path: Path) -> None:
    long_cell(tmp_path / "x.csv")
    with pytest.raises(DataError, match=r"x\.csv: .*number is expected"):
        read(tmp_path / "x.csv", states=["x"], time="t")


def test_the_budget_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, expected in (("1000", 1000), ("2 GB", 2 * 10**9), ("1.5MiB", 1572864), ("7 kb", 7000)):
        monkeypatch.setenv(_memory.VARIABLE, text)
        assert _memory.budget() == expected
    for text in ("much", "0", "-3 GB", "2 PB"):
        monkeypatch.setenv(_memory.VARIABLE, text)
        with pytest.raises(DataError, match=r"SPARSEDYN_MEMORY=.* expected bytes, or an amount"):
            check_memory(1, "a byte")
    monkeypatch.setenv(_memory.VARIABLE, "")
    assert 0 < _memory.budget() <= _memory.free()


@pytest.mark.parametrize(
    ("line", "folder", "limit", "used"),
    [
        ("0::/job\n", "job", "memory.max", "memory.current"),
        ("4:memory,hugetlb:/job\n", "memory/job", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ],
)
def test_control_groups_limit_what_is_free(line: str, folder: str, limit: str, used: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / limit).write_text("1000\n")
    (tmp_path / folder / used).write_text("400\n")
    (tmp_path / "own").write_text(line)
    assert list(_memory.left_in_groups(tmp_path, tmp_path / "own")) == [600]


def test_json_that_is_nested_too_deep_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        parsed_json("[" * 100_000 + "]" * 100_000)
