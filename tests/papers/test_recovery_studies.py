"""Studies of equations from one trajectory and of laws from tables: they run, go on after a stop, and are published."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import studies
from sparsedyn.equations import parsed
from sparsedyn.studies import publish
from sparsedyn.studies.reading import load, parse
from sparsedyn_papers.odes import covered, exact, explains, nearby, simulated, suite

ODES = """
kind = "odes"
name = "two-systems"
systems = [1, 3]
noise = [0.0, 0.01]
methods = ["EquationLearner", "SINDy", "PySINDy 0.1"]

[[published]]
method = "another"
shares = { reconstruction = 0.5, exact = 0.25 }
"""
LAWS = """
kind = "laws"
name = "two-laws"
suite = "feynman"
laws = ["I.12.1", "I.12.5"]
points = 60
trials = 0

[[published]]
method = "another"
shares = { found = 0.5 }
"""


def page_of(directory: Path, room: Path) -> str:
    """Publish a study, from its directory and from what is kept of it, to equal pages; return the page."""
    publish([directory], room / "pages", results=room / "kept")
    (kept,) = (room / "kept").iterdir()
    publish([kept], room / "again", results=room / "kept again")
    (page,) = (path for path in (room / "pages").glob("*.md") if path.stem != "claims")
    assert page.read_text() == (room / "again" / page.name).read_text()
    return page.read_text()


@pytest.mark.slow
def test_odes_are_learned_from_one_trajectory(tmp_path: Path):
    ids = [system.id for system in suite()][:2]
    text = ODES.replace("[1, 3]", str(ids))

    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.CellStarted) and event.number == 3:
            raise KeyboardInterrupt

    directory = tmp_path / "run"
    with pytest.raises(studies.StudyInterrupted, match="with 2 of 4 cells finished"):
        studies.run(parse(text, "a.toml"), directory, on_event=stop)
    studies.resume(directory)
    table = pd.read_parquet(directory / "results.parquet")
    own = table[(table["method"] == "EquationLearner") & (table["noise"] == 0)]
    assert len(own) == 2
    assert own["reconstruction"].all()
    assert own["exact"].sum() >= 1
    page = page_of(directory, tmp_path)
    assert "| published: another | 50.0 % | – | 25.0 % | – | – |" in page
    assert "Noise 0.01: EquationLearner reconstructs" in page


def test_laws_are_found_from_tables(tmp_path: Path):
    directory = tmp_path / "run"
    studies.run(parse(LAWS, "a.toml"), directory)
    table = pd.read_parquet(directory / "results.parquet")
    assert len(table) == 4
    assert table["found"].all()
    page = page_of(directory, tmp_path)
    assert "**2 of 2** (100 %)" in page
    assert "| published: another | 0 | 50.0 % | – | – | – |" in page


def test_the_studies_that_come_along_are_whole():
    assert len(load("odebench").systems or suite()) == len(suite()) == 42
    assert len({system.id for system in suite()}) == 42
    assert load("feynman").noise == (0.0, 0.001, 0.01, 0.1)
    for text, wrong, message in (
        (ODES, ("SINDy", "SINDI"), "Did you mean 'SINDy'"),
        (ODES, ("[1, 3]", "[1, 999]"), "no system 999"),
        (LAWS, ("I.12.5", "I.12.6"), "no law 'I.12.6'"),
    ):
        with pytest.raises(studies.StudyError, match=message):
            parse(text.replace(*wrong, 1), "a.toml")


def test_a_form_is_exact_whatever_its_numbers():
    truth = [parsed("0.3 - 0.36*x_0/(1 + x_0)", ["x_0"])]
    states = np.linspace(0.1, 2, 50)[:, None]
    assert exact(truth, [parsed("0.31 - 0.4*x_0/(1.1 + x_0)", ["x_0"])], states)
    assert exact(truth, [parsed("0.31 - 2*x_0/(5 + 3*x_0)", ["x_0"])], states)
    assert not exact(truth, [parsed("0.31 - 0.2*x_0 + 0.05*x_0**2", ["x_0"])], states)
    system = next(one for one in suite() if len(one.equations) == 1)
    plant = simulated(system.field, system.starts[0])
    assert plant is not None
    assert explains(plant, plant)
    assert not explains(plant.mean(axis=0) + 0 * plant, plant)


def test_true_constants_are_those_of_the_found_equation_fitted_to_the_truth():
    x, states = ["x_0"], np.linspace(0.1, 2, 50)[:, None]
    truth, found = [parsed("0.3 - 0.5*x_0/(0.9 + x_0)", x)], [parsed("0.31 - 0.49*x_0/(0.88 + x_0)", x)]
    rows = [("x_0", 0.311, 0.29, 0.33), ("x_0", -0.49, -0.495, -0.485), ("x_0", 0.88, 0.8, 1.0), ("x_0", 7.0, 6.9, 7.1)]
    table = pd.DataFrame(rows, columns=["state", "value", "low", "high"])
    assert covered(truth, found, table, states) == (2, 3)
    assert covered([parsed("x_0**2", x)], found, table, states) == (0, 0)
    rounded = [parsed("0.31 - 0.49*x_0/(2 + x_0)", x)]
    table.loc[2, ["value", "low", "high"]] = [1.98, 1.8, 2.1]
    assert covered([parsed("0.3 - 0.5*x_0/(1.9 + x_0)", x)], rounded, table, states) == (2, 3)


def test_further_trajectories_begin_around_the_first():
    system = suite()[0]
    first = simulated(system.field, system.starts[0])
    assert first is not None
    others = nearby(system, first, 3)
    assert [len(one) for one in others] == [150] * 3
    shares = [one[0] / first[0] for one in others]
    assert all(np.all((share >= 0.5) & (share <= 1.5)) for share in shares)
    np.testing.assert_array_equal(others[1], nearby(system, first, 2)[1])
