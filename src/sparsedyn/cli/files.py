"""Files that a command writes: checked before the work; complete or absent after it."""

import os
from pathlib import Path

from sparsedyn.cli.errors import UsageProblem


def check_new_file(path: Path, *, force: bool) -> None:
    """Raise `UsageProblem` for a file that cannot be written, or that exists and may not be replaced."""
    if path.is_dir():
        raise UsageProblem(f"--output: expected a file name; {path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise UsageProblem(
            f"--output: expected a file in a folder that exists; there is no folder {path.parent}. Make it first."
        )
    if not os.access(path.parent, os.W_OK):
        raise UsageProblem(f"--output: the folder {path.parent} cannot be written to. Choose another.")
    if path.exists() and not force:
        raise UsageProblem(f"--output: {path} exists already. Choose another name, or add --force to replace it.")


def check_new_folder(path: Path, *, force: bool) -> None:
    """Raise `UsageProblem` for a folder that is a file, or that is not empty and may not be added to."""
    if path.exists() and not path.is_dir():
        raise UsageProblem(f"--output: expected a folder; {path} is a file. Choose another name.")
    if path.is_dir() and any(path.iterdir()) and not force:
        raise UsageProblem(
            f"--output: the folder {path} is not empty. Choose another, or add --force to write into it "
            "(files of the same names are replaced)."
        )
