"""Claim a directory for a study, and refuse one that holds anything else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sparsedyn import _disk
from sparsedyn.studies.cells import CellFiles
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.files import write_text
from sparsedyn.studies.reading import stored_spec
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import LOCK, SHARDS, Store
from sparsedyn.studies.toml import to_toml


@contextmanager
def claimed(store: Store, spec: AbstractStudySpec, files: CellFiles) -> Iterator[None]:
    """Lock a directory and `claim` it for `spec`; nothing is left in a directory that is refused."""
    store.make()
    lock = store.directory / LOCK
    known = lock.exists()
    with store.lock():
        try:
            if store.spec_file.is_file():
                # What a killed run was writing.
                _disk.remove_temporaries(store.directory)
            claim(store, spec, files)
        except BaseException:
            if not known:
                lock.unlink(missing_ok=True)
            raise
        yield


def claim(store: Store, spec: AbstractStudySpec, files: CellFiles) -> None:
    """Claim a directory for `spec`, which may be there already; raises `StudyError` if it holds anything else.

    `files` are those of a finished cell, which must be there.
    """
    store.make()
    directory, file = store.directory, store.spec_file
    # Until there are data, a changed spec loses nothing: the first one may have named files that cannot be read.
    begun = store.data_file("train").exists() or bool(store.finished())
    begun = begun or any(directory.glob("groups/*"))
    if file.is_file() and begun:
        _check_same(store, stored_spec(directory).computed(), spec.computed())
        store.check_cells(files)
    else:
        own = {LOCK, SHARDS, *((file.name, store.run_file.name, store.sums.name, "cells") if file.is_file() else ())}
        foreign = sorted(p.name for p in directory.glob("*") if p.name not in own and not _disk.is_temporary(p))
        if foreign:
            raise StudyError(
                f"{directory}: expected a new or empty folder, or one of this study; it holds other "
                f"files ({_few(foreign, 5, ', ')}). Choose another folder."
            )
    # What they are of is about to change.
    _disk.remove(store.sums)
    # Also of a known study: titles, claims and published figures may have changed since.
    write_text(file, to_toml(spec.resolved()))


def _check_same(store: Store, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    differences = list(_differences(there, here, ""))
    if differences:
        raise StudyError(
            f"{store.directory}: expected a new folder or one of this study; it holds another one, which "
            f"differs in {_few(differences, 3, '; ')}. Choose another folder, or continue the study that is there: "
            f"sparsedyn study resume {store.directory}"
        )


def _differences(there: Any, here: Any, key: str) -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in dict.fromkeys((*there, *here)):
            yield from _differences(there.get(name), here.get(name), f"{key}.{name}".lstrip("."))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for i, (old, new) in enumerate(zip(there, here, strict=True)):
            yield from _differences(old, new, f"{key}[{i + 1}]")
    elif there != here:
        yield f"{key} ({_short(there)} there, {_short(here)} here)"


def _few(texts: list[str], most: int, separator: str) -> str:
    return separator.join([*texts[:most], *(["..."] if len(texts) > most else [])])


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
