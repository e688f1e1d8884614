"""What a disk may look like after a crash, from a journal of what was done on it, and a disk that fails.

All changes on the disk go through the functions of `sparsedyn._disk`. A `Journal` writes down what they do; `crashed`
applies the first of these operations to an empty folder, as if the process had been killed there, or the power had
been cut: then names and contents that were not synced are lost, in part or altogether. `Failing` lets one of them fail.
"""

import errno
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sparsedyn import _disk

CALLS = ("sync", "rename", "make", "remove_file", "remove_tree")
"""The functions that change the disk; contents are written between them, and counted when they are synced."""


class Operation(NamedTuple):
    """What is done to a path: `write` has the content, `rename` the new path."""

    kind: str
    path: Path
    new: Path | None = None
    content: bytes = b""


@dataclass
class File:
    content: bytes = b""
    durable: bytes = b""


@dataclass
class Folder:
    names: "dict[str, File | Folder]" = field(default_factory=dict)
    durable: "dict[str, File | Folder]" = field(default_factory=dict)


class Journal:
    """The operations below a folder, in their order; `watch` is called after each."""

    def __init__(self, root: Path, watch: Callable[[], None] = lambda: None):
        self.root, self.watch = root, watch
        self.operations: list[Operation] = []

    @contextmanager
    def kept(self) -> Iterator["Journal"]:
        """Keep the journal while this is entered."""
        with _patched(self._call):
            yield self

    def _call(self, name: str, real: Callable[..., None], *paths: Path) -> None:
        if self.root not in paths[0].parents and paths[0] != self.root:
            return real(*paths)
        place, *others = (path.relative_to(self.root) for path in paths)
        if name == "sync" and paths[0].is_file():
            self.operations.append(Operation("write", place, content=paths[0].read_bytes()))
        real(*paths)
        self.operations.append(Operation(name, place, *others))
        self.watch()


class Failing:
    """A disk on which operation number `at` fails with an error number; a file is then half written."""

    def __init__(self, root: Path, at: int, number: int = errno.ENOSPC):
        self.root, self.at, self.number = root, at, number
        self.done = 0

    @contextmanager
    def entered(self) -> Iterator["Failing"]:
        """Use this disk while this is entered."""
        with _patched(self._call):
            yield self

    @property
    def failed(self) -> bool:
        """Whether the operation was reached."""
        return self.done > self.at

    def _call(self, name: str, real: Callable[..., None], *paths: Path) -> None:
        if self.root not in paths[0].parents or name.startswith("remove"):
            return real(*paths)
        self.done += 1
        if self.done == self.at + 1:
            if name == "sync" and paths[0].is_file():
                paths[0].write_bytes(paths[0].read_bytes()[: paths[0].stat().st_size // 2])
            raise OSError(self.number, errno.errorcode[self.number], str(paths[0]))
        return real(*paths)


def crashed(operations: list[Operation], folder: Path, *, power: str = "on", seed: int = 0, torn: bool = False) -> None:
    """Write what is on the disk after these operations to an empty folder.

    `power` is "on" after a kill. "lost": only what was synced is there. "names": names are there, contents that were
    not synced are not. "some": of every name and content that was not synced, a coin decides. With `torn`, the last
    write is half done.
    """
    root = Folder()
    for number, one in enumerate(operations, 1):
        _apply(root, one, torn and number == len(operations))
    _written(root, folder, power, random.Random(seed))


def _apply(root: Folder, one: Operation, torn: bool) -> None:
    parent, name = _parent(root, one.path), one.path.name
    if one.kind == "write":
        file = parent.names.setdefault(name, File())
        assert isinstance(file, File)
        file.content = one.content[: len(one.content) // 2] if torn else one.content
    elif one.kind == "make":
        parent.names.setdefault(name, Folder())
    elif one.kind == "rename":
        assert one.new is not None
        _parent(root, one.new).names[one.new.name] = parent.names.pop(name)
    elif one.kind == "sync":
        node = parent.names[name] if name else root
        if isinstance(node, File):
            node.durable = node.content
        else:
            node.durable = dict(node.names)
    else:
        parent.names.pop(name, None)


def _parent(root: Folder, path: Path) -> Folder:
    node: File | Folder = root
    for part in path.parts[:-1]:
        assert isinstance(node, Folder)
        node = node.names[part]
    assert isinstance(node, Folder)
    return node


def _written(node: Folder, folder: Path, power: str, coin: random.Random) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted({*node.names, *node.durable}):
        held = coin.random() < 0.5
        kept = {"on": False, "names": False, "lost": True, "some": held}[power]
        child = (node.durable if kept else node.names).get(name)
        if isinstance(child, Folder):
            _written(child, folder / name, power, coin)
        elif child is not None:
            synced = {"on": False, "names": True, "lost": True, "some": coin.random() < 0.5}[power]
            (folder / name).write_bytes(child.durable if synced else child.content)


@contextmanager
def _patched(call: Callable[..., None]) -> Iterator[None]:
    real = {name: getattr(_disk, name) for name in CALLS}
    try:
        for name, function in real.items():
            setattr(_disk, name, lambda *paths, _name=name, _real=function: call(_name, _real, *paths))
        yield
    finally:
        for name, function in real.items():
            setattr(_disk, name, function)
