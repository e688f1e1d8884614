"""FMUs of both versions: validated and simulated by fmpy, and compiled without a warning."""

import io
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sparsedyn import export

from .cases import ROWS, case, largest
from .made import MODELS, regressor, stepper
from .running import FLAGS
from .test_names import STATES, hostile

QUICK = ("relu", "state space", "sindy", "lags", "regressor")
"""One of every family, and one whose states are earlier rows."""


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("name", "rows"),
    [*((name, 200) for name in QUICK), *(pytest.param(name, ROWS, marks=pytest.mark.slow) for name in MODELS)],
)
def test_fmpy_validates_and_simulates(name: str, rows: int, version: int, compiler: str, tmp_path: Path):
    fmpy = pytest.importorskip("fmpy", reason="the extra fmu is not installed")
    validation = pytest.importorskip("fmpy.validation")
    model, program, (x, u, expected) = case(name)
    path = tmp_path / "model.fmu"
    path.write_bytes(export.to_fmu(model, "mean" if name == "mean" else None, version=version, name="plant"))
    assert validation.validate_fmu(str(path)) == []
    given = program.inputs if program.inputs else program.states if name == "regressor" else ()
    values = x[:rows] if name == "regressor" else u[:rows]
    times = program.dt * np.arange(rows)
    signals = np.zeros(rows, [("time", float), *((one.identifier, float) for one in given)])
    signals["time"] = times
    for one, column in zip(given, values.T, strict=True):
        signals[one.identifier] = column
    found = fmpy.simulate_fmu(
        str(path),
        stop_time=times[-1],
        step_size=program.dt,
        output_interval=program.dt,
        start_values={} if name == "regressor" else {o.identifier: v for o, v in zip(program.states, x, strict=True)},
        input=signals if given else None,
        output=[one.identifier for one in (program.outputs or program.states)],
    )
    made = np.stack([found[of] for of in found.dtype.names[1:]], axis=1)
    # What fmpy records at a time are outputs of before the inputs of this time are set.
    made = made[1:] if name == "regressor" else made
    assert largest(made[: rows - 1], expected[: rows - 1]) < 1e-6


@pytest.mark.parametrize("version", [2, 3])
def test_sources_compile_without_a_warning(version: int, compiler: str, tmp_path: Path):
    for model in (stepper("relu"), regressor()):
        with zipfile.ZipFile(io.BytesIO(export.to_fmu(model, version=version))) as archive:
            archive.extractall(tmp_path)
        command = [compiler, *FLAGS, "-fPIC", "-shared", tmp_path / f"sources/fmi{version}.c", "-o", tmp_path / "made"]
        subprocess.run([*command, "-lm"], check=True)


def test_names_are_kept_in_the_description(compiler: str):
    from xml.etree import ElementTree

    with zipfile.ZipFile(io.BytesIO(export.to_fmu(hostile()))) as archive:
        root = ElementTree.fromstring(archive.read("modelDescription.xml"))
    found = [one.get("description") for one in root.iter("ScalarVariable")]
    assert tuple(found[: len(STATES)]) == STATES
    assert all((one.get("name") or "").isidentifier() for one in root.iter("ScalarVariable"))


def test_an_export_is_the_same_again(compiler: str):
    one, other = (zipfile.ZipFile(io.BytesIO(export.to_fmu(stepper("relu")))) for _ in range(2))
    assert all(one.read(name) == other.read(name) for name in one.namelist() if not name.startswith("binaries"))


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with pytest.raises(ValueError, match=r"version: expected 2 \(FMI 2.0\) or 3 \(FMI 3.0\); got 1"):
        export.to_fmu(stepper("relu"), version=1)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(FileNotFoundError, match="an FMU needs a C compiler; looked for cc, gcc, clang"):
        export.to_fmu(stepper("relu"))
    monkeypatch.setenv("CC", "none-such")
    with pytest.raises(FileNotFoundError, match="looked for none-such"):
        export.to_fmu(stepper("relu"))
