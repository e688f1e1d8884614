"""A package of one's own adds a study and a kind of study, found by its entry point and run by the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KIND = """
from typing import Literal

import numpy as np
import pandas as pd

from sparsedyn.studies.cells import Cell, Outcome
from sparsedyn.studies.document import Document, Section, Text
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.providers import Provider
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.summary import Listing, Summary, listed_cells
from sparsedyn.studies.units import one_by_one


class PowersSpec(AbstractStudySpec):
    kind: Literal["powers"]
    powers: list[int]


def cells(spec, store=None):
    return [Cell(f"power-{power}", f"power {power}") for power in spec.powers]


def compute(store, spec, cell, on_progress):
    on_progress(0.5, "half")
    values = np.arange(4.0) ** int(cell.label.split()[1])
    return Outcome({"sum": values.sum()}, {"values": values}, f"sum {values.sum():g}")


def results(spec, cells):
    return pd.DataFrame([{"cell": cell.facts["label"], "sum": cell.facts["sum"]} for cell in cells])


def document(study):
    return Document(study.spec.name, [], [Section("sums", "Sums", [Text(str(list(study.results["sum"])))])])


def summary(spec, store, results):
    rows = [(row.cell, f"{row.sum:g}") for row in results.itertuples()]
    return Summary([Listing(("cell", "sum"), rows)], results.to_dict(orient="records"))


POWERS = Kind(
    spec=PowersSpec,
    overview=lambda spec: listed_cells(cells(spec)),
    cells=cells,
    units=lambda run: one_by_one(run, cells(run.spec), compute),
    results=results,
    document=document,
    summary=summary,
)
STUDIES = Provider(catalogue="parcel", kinds={"powers": "parcel:POWERS"})
"""
STUDY = 'kind = "powers"\nname = "squares-and-cubes"\ntitle = "Squares and cubes"\npowers = [2, 3]\n'


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    package, metadata = tmp_path / "lib" / "parcel", tmp_path / "lib" / "parcel-1.0.dist-info"
    for folder in (package, metadata):
        folder.mkdir(parents=True)
    (package / "__init__.py").write_text(KIND)
    (package / "squares-and-cubes.toml").write_text(STUDY)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[sparsedyn.studies]\nmine = parcel:STUDIES\n")
    paths = [str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


COMMANDS = """
import json, sys
from sparsedyn.cli import main

for arguments in json.loads(sys.argv[1]):
    sys.argv = ["sparsedyn", "study", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
    print(end="\\f")
"""


def sparsedyn(environment: dict[str, str], *commands: list[str]) -> list[str]:
    """What commands on studies print, which one new process runs: starting it takes longer than they do."""
    command = [sys.executable, "-c", COMMANDS, json.dumps(commands)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\f")[:-1]


@pytest.mark.slow
def test_a_package_adds_a_study_and_its_kind(environment: dict[str, str], tmp_path: Path):
    name, out = "squares-and-cubes", tmp_path / "out"
    listed, shown, told = sparsedyn(environment, ["list"], ["show", name], ["run", name, "-o", str(out)])
    assert "Squares and cubes" in listed
    assert "#   power 3" in shown
    assert "power 2" in told
    assert "36" in told
    assert "Sums" in (out / "report.html").read_text(encoding="utf-8")
    assert {path.name for path in (out / "cells").iterdir()} == {"power-2", "power-3"}
