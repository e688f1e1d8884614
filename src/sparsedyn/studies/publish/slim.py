"""What a published page is made from, and no more: a study's folder without its models and its bulk.

A slim folder of a comparison has study.toml, run.json, results.parquet, data/test.npz and of every cell cell.json,
forecasts.parquet, history.parquet and curves.npz; of a search also the tables of its rungs. One of equation learners
has study.toml, run.json, results.parquet and of every cell cell.json and arrays.npz. It is a study directory to
whatever reads results; it lacks the models, the training data, and what no page shows. Pages are drawn from slim
folders only, so that a folder that was kept gives the same page as the one it came from.
"""

import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sparsedyn.data import read, write
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.page.contents import read_contents
from sparsedyn.studies.publish.choice import shown_fans
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.store import read_arrays, read_json, replacing, write_json
from sparsedyn_papers.equations.spec import EquationsSpec

TRAJECTORIES = 5
"""Test trajectories that are kept, the first ones: for pictures of the data, names and units."""
FAN = ("fan_states", "truth", "fan_trajectories")
# Pictures need no more digits; half of the bytes.
SINGLE = ("fan_states", "truth", "error_mean", "error_quantiles")
COPIED = ("cell.json", "forecasts.parquet", "history.parquet")
NAMES = {"study.toml", "run.json", "results.parquet", "data/test.npz", "search.parquet"}
RUNGS = "search/rung-*.parquet"


def slim(source: Path, spec: StudySpec, target: Path) -> None:
    """Write the slim form of the study in `source` to the empty folder `target`; of a slim folder, its copy."""
    contents = read_contents(source)
    fans = shown_fans(contents, spec)
    for name in ("study.toml", "results.parquet"):
        _copy(source / name, target / name)
    if contents.run:
        # As typed it may name folders of the machine; this is the same run wherever it is typed.
        write_json(target / "run.json", {**read_json(source / "run.json"), "command": command(spec).text})
    for file in (source / "search.parquet", *sorted(source.glob(RUNGS))):
        _copy(file, target / file.relative_to(source))
    _data(source / "data" / "test.npz", target / "data" / "test.npz")
    for key, cell in contents.cells.items():
        for name in COPIED:
            _copy(source / "cells" / cell.slug / name, target / "cells" / cell.slug / name)
        if cell.curves:
            write_arrays(target / "cells" / cell.slug / "curves.npz", thinned(cell.curves, fan=key in fans))


def check_keepable(target: Path) -> None:
    """Raise `StudyError` where `target` holds anything but a slim folder, such as the models of a study."""
    files = [p for p in target.rglob("*") if p.is_file()]
    # The spec is written last: by itself it is somebody's own.
    alone = (target / "study.toml").is_file() and not (target / "results.parquet").is_file()
    foreign = sorted(str(p.relative_to(target)) for p in files if alone or not _is_slim(p, target))
    if foreign:
        raise StudyError(
            f"{target}: expected a new folder or one kept before; it holds other files ({', '.join(foreign[:3])}"
            f"{', ...' if len(foreign) > 3 else ''}). Give --keep another folder."
        )


def keep(room: Path, target: Path) -> list[Path]:
    """Put the slim folder `room` at `target`, in place of an older one; return the files written."""
    check_keepable(target)
    files = sorted(p.relative_to(room) for p in room.rglob("*") if p.is_file())
    for file in files:
        _copy(room / file, target / file)
    for old in sorted(p for p in target.rglob("*") if p.is_file() and p.relative_to(target) not in files):
        old.unlink()
    return [target / file for file in files]


def thinned(curves: Mapping[str, np.ndarray], *, fan: bool) -> dict[str, np.ndarray]:
    """Return what pictures need of a cell's curves: of its forecasts those of one trajectory, or none."""
    found = {name: array for name, array in curves.items() if fan or name not in FAN}
    if "fan_states" in found:
        found["fan_states"] = found["fan_states"][:, :1]
    with np.errstate(over="ignore"):
        return {name: array.astype(np.float32) if name in SINGLE else array for name, array in found.items()}


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz file, compressed; equal arrays give equal bytes."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
            # The date of an entry is that of the year in which zip files begin, not today's.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, stream.getvalue(), zipfile.ZIP_DEFLATED, 9)


def _data(source: Path, target: Path) -> None:
    if not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    test = read(source)
    write(test[: min(TRAJECTORIES, len(test))], target)
    arrays = read_arrays(target)
    single = {name: arrays[name].astype(np.float32) for name in ("states", "inputs")}
    write_arrays(target, {**arrays, **single})


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)


def _is_slim(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    if len(parts) == 3 and parts[0] == "cells":
        return parts[2] in (*COPIED, "curves.npz", *EquationsSpec.cell_files)
    return "/".join(parts) in NAMES or path in folder.glob(RUNGS)
