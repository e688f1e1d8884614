"""Check the stored files of a study against their checksums."""

from pathlib import Path
from typing import NamedTuple

from sparsedyn.studies.checksums import checked, faults
from sparsedyn.studies.reading import stored_spec
from sparsedyn.studies.store import Store
from sparsedyn.training import CheckpointError, load_arrays


class Verified(NamedTuple):
    """How many files were checked, which are not as they were written and why, and folders without checksums."""

    files: int
    faults: list[tuple[Path, str]]
    unknown: list[Path]


def verify(directory: str | Path) -> Verified:
    """Check all files of a study that have a checksum: data, finished cells, checkpoints, results of a finished study.

    Raises `StudyError` for a folder that holds no study. Folders of versions before checksums are named in `unknown`.
    """
    stored_spec(directory)
    store = Store(Path(directory))
    folders = [store.directory, store.data_sums.parent, *store.finished()]
    folders = [folder for folder in folders if folder.is_dir()]
    # Results get checksums when a study is finished.
    unknown = [folder for folder in folders if not checked(folder) and folder != store.directory]
    found = [fault for folder in folders for fault in faults(folder)]
    checkpoints = sorted(store.directory.glob("groups/[!.]*.safetensors"))
    for checkpoint in checkpoints:
        try:
            load_arrays(checkpoint)
        except CheckpointError as error:
            found.append((checkpoint, f"cannot be gone on with ({error})"))
    return Verified(sum(map(checked, folders)) + len(checkpoints), found, unknown)
