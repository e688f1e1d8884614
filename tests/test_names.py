"""Names of states, inputs and trajectories are from data: nowhere do they become more than names."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.mathtext import MathTextParser

from sparsedyn import plotting
from sparsedyn.cli.pictures import band_table, file_names
from sparsedyn.data import Trajectories, read, write
from sparsedyn.data.spreadsheets import as_named, inert
from sparsedyn.equations.notation import latex_name
from sparsedyn.forecast import Calibration, Forecast
from sparsedyn.plotting.layout import in_figure

HOSTILE = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil","x")',
    "+SUM(1,2)",
    "-2+3",
    "@x",
    "'=1+1",
    r"$\frac{$",
    r"\input{/etc/passwd}",
    r"\def\x{\x}\x",
    "$$x^{",
    "%n%s",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "../../etc/passwd",
    "a\\",
    "_hidden",
    "x" * 400,
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def hostile() -> Trajectories:
    """Trajectories in which everything that has a name has a hostile one."""
    count = len(HOSTILE)
    states = np.random.default_rng(0).normal(size=(count, 4, count))
    return Trajectories(
        states,
        states[..., :2],
        dt=0.5,
        state_names=HOSTILE,
        input_names=["=u()", "@u"],
        state_units=["=kg()", "-", *[""] * (count - 2)],
        labels=HOSTILE,
        attrs={"=key()": "=value()"},
    )


def is_inert(cell: str) -> bool:
    """Whether a spreadsheet shows a cell as it is, as a text or a number."""
    if not cell.startswith(FORMULA) or len(cell) == 1:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_tables_of_data_have_no_formulas(tmp_path: Path) -> None:
    data = hostile()
    write(data, tmp_path / "x.csv")
    with open(tmp_path / "x.csv", newline="") as file:
        assert all(is_inert(cell) for row in csv.reader(file) for cell in row)
    back = read(tmp_path / "x.csv")
    for name in ("state_names", "input_names", "state_units", "labels", "attrs"):
        assert getattr(back, name) == getattr(data, name)


def test_names_without_formulas_are_written_as_they_are() -> None:
    for name in ("x", "-", "'x", "-5", "+1.5e3", "a=b", "°C"):
        assert inert(name) == name == as_named(name)
    for name in HOSTILE:
        assert as_named(inert(name)) == name


def test_tables_of_bands_have_no_formulas() -> None:
    data = hostile()
    made = Forecast(np.stack([np.stack(data.states)] * 3), data, np.ones(len(HOSTILE)))
    flat = np.ones((1, len(HOSTILE)))
    columns = np.zeros(len(HOSTILE) + 2)
    calibration = Calibration(0.9, 3, np.array([1, 4]), flat, flat, columns, columns + 1, 5.0)
    made.calibration = calibration
    table = band_table(made)
    assert len(table)
    assert all(is_inert(str(cell)) for column in ("trajectory", "state") for cell in table[column])


@pytest.mark.parametrize("name", [*HOSTILE, *map(chr, range(33, 127)), "größe", "日本"])
def test_latex_of_names_is_set_as_text(name: str) -> None:
    written = latex_name(name)
    assert "\\input" not in written
    assert "\\def" not in written
    MathTextParser("path").parse(f"${written}$")


def test_files_of_trajectories_lie_in_their_folder() -> None:
    names = file_names(HOSTILE)
    assert len(set(map(str.lower, names))) == len(HOSTILE)
    assert all(Path(name).name == name and not name.startswith(".") and len(name) < 120 for name in names)


def test_pictures_show_names_as_they_are() -> None:
    data = hostile()
    made = Forecast(np.stack([np.stack(data.states)] * 3), data, np.ones(len(HOSTILE)))
    links = np.ones((1, len(HOSTILE), len(HOSTILE) + 2), bool)
    names = (HOSTILE, data.input_names)
    scores = pd.DataFrame({"x": np.ones(len(HOSTILE))}, index=list(HOSTILE))
    for draw, *what in (
        (plotting.fan, made, 0),
        (plotting.input_output_map, links, *names),
        (plotting.trajectories, data, HOSTILE[:12]),
        (plotting.coefficients, scores),
    ):
        in_figure(draw, *what).draw_without_rendering()
