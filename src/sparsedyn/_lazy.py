"""Public names that are imported at their first use (PEP 562): one table for Python and for type checkers.

The table of a package is its stub, `__init__.pyi`: the imports that would otherwise stand in `__init__.py`, and
`__all__`. Type checkers, editors and the documentation read it anyway. At run time the same file says where a name
comes from, so that the two cannot drift apart.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any


def attach(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of `package`, which calls this from its `__init__.py`.

    Raises nothing itself; a name that the stub does not list raises `AttributeError`, as in any module.
    """
    module = sys.modules[package]
    table = origins(package, Path(str(module.__file__)).with_suffix(".pyi"))

    def resolve(name: str) -> Any:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=module)
        value = found(package, *table[name])
        # Kept, so that the next use does not come here.
        module.__dict__[name] = value
        return value

    module.__class__ = lazy_module(table)
    return resolve, lambda: sorted(table), sorted(name for name in table if not name.startswith("_"))


def origins(package: str, stub: Path) -> dict[str, tuple[str, str]]:
    """Return where each name of a stub comes from: the module, and its name there."""
    nodes = [node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return {
        alias.asname or alias.name: (
            importlib.util.resolve_name("." * node.level + (node.module or ""), package),
            alias.name,
        )
        for node in nodes
        for alias in node.names
    }


def found(package: str, origin: str, name: str) -> Any:
    """Return what `from origin import name` would bind; from the package itself only its modules are imported."""
    if origin == package:
        return importlib.import_module(f"{package}.{name}")
    return getattr(importlib.import_module(origin), name)


def lazy_module(table: Mapping[str, tuple[str, str]]) -> type[ModuleType]:
    """Return a class of module in which a public name wins over a file of the same name.

    Python binds every imported file to its package: importing `training/fit.py` would replace the function
    `training.fit` by the file.
    """

    class LazyModule(ModuleType):
        def __setattr__(self, name: str, value: Any) -> None:
            if not (isinstance(value, ModuleType) and name in table):
                super().__setattr__(name, value)

    return LazyModule
