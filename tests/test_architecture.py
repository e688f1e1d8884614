"""The rules of docs/architecture.md, read off the source with the standard library's ast.

Who may import whom; nothing below the estimators prints, touches files or keeps global state; no pickle.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = "sparsedyn"

# Room -> the rooms it may import. Rooms on one floor do not import each other.
GROUND = {"data", "models", "sparsify"}
MIDDLE = {"forecast", "equations"}
LEARNING = GROUND | MIDDLE | {"training", "estimators"}
MAY_IMPORT: dict[str, set[str]] = {
    "data": set(),
    "models": set(),
    "sparsify": set(),
    "systems": {"data"},
    "forecast": {"data", "models"},
    "equations": {"data", "models"},
    "training": {"data", "models", "sparsify", "forecast"},
    "estimators": GROUND | MIDDLE | {"training"},
    "export": LEARNING,
    "plotting": LEARNING,
    "studies": LEARNING | {"systems", "plotting"},
    "cli": LEARNING | {"systems", "studies", "plotting", "export"},
}
ABOVE_THE_LIBRARY = {"estimators", "export", "plotting", "studies", "cli"}

# The only files below the estimators that may touch the disk.
FILE_ACCESS = ("data/io.py", "data/io/", "data/formats/", "training/checkpoint.py")

FILE_MODULES = {"glob", "io", "os", "pathlib", "shutil", "subprocess", "tempfile"}
FACE_MODULES = {"matplotlib", "plotly", "rich", "tqdm", "typer"}
PICKLE_MODULES = {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
# Whatever they are called on: pathlib, NumPy, pandas, xarray, safetensors, Equinox.
FILE_CALLS = {
    *("open", "read_bytes", "read_text", "write_bytes", "write_text", "mkdir", "unlink"),
    *("fromfile", "genfromtxt", "loadtxt", "savetxt", "savez", "savez_compressed", "tofile"),
    *("read_csv", "read_parquet", "to_csv", "to_parquet", "open_dataset", "load_dataset", "to_netcdf"),
    *("load_file", "save_file", "tree_serialise_leaves", "tree_deserialise_leaves"),
}
NUMPY_FILE_CALLS = {"np.load", "np.save", "numpy.load", "numpy.save"}

# Line, and what stands there.
Breaches = Iterator[tuple[int, str]]
DOINGS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.With)


def imported(tree: ast.AST, module: str, is_package: bool) -> Breaches:
    """Line and absolute dotted name of everything imported in the file, relative imports resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                up = node.level - 1 if is_package else node.level
                base = ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def import_violations(tree: ast.AST, module: str, is_package: bool) -> Breaches:
    room = module.split(".")[1]
    private = room.startswith("_") and room != "__main__"
    allowed = MAY_IMPORT["cli"] | {"cli"} if room == "__main__" else MAY_IMPORT.get(room, set())
    if not private and room != "__main__" and room not in MAY_IMPORT:
        yield 1, f"room {room!r} is not in MAY_IMPORT: say there what it may import"
        return
    for line, name in imported(tree, module, is_package):
        top, _, rest = name.partition(".")
        if top in PICKLE_MODULES:
            yield line, f"imports {top}: models and data are never pickled"
        elif top == PACKAGE:
            target = rest.split(".")[0]
            # Private modules of the package root (sparsedyn/_devices.py) lie under every room.
            if target == room or (target.startswith("_") and not target.startswith("__")):
                continue
            if target in MAY_IMPORT:
                if target not in allowed:
                    yield line, f"room {room!r} imports room {target!r}"
            elif room not in ("cli", "__main__"):
                yield line, f"imports {name!r} from the package's public face: import it from its room"


def pickle_violations(tree: ast.AST) -> Breaches:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("to_pickle", "read_pickle"):
            yield node.lineno, f"uses {node.attr}: models and data are never pickled"
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield node.lineno, "allows pickle: pass allow_pickle=False"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
            if not any(keyword.arg == "allow_pickle" for keyword in node.keywords):
                yield node.lineno, "calls numpy.load without allow_pickle=False"


def side_effects(tree: ast.AST, module: str, is_package: bool, may_touch_files: bool) -> Breaches:
    """Printing, faces, file access and global state: none of them belongs below the estimators."""
    for line, name in imported(tree, module, is_package):
        top = name.partition(".")[0]
        if top in FACE_MODULES:
            yield line, f"imports {top} below the estimators"
        elif top in FILE_MODULES and not may_touch_files:
            yield line, f"imports {top}: no file access below the estimators"
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield node.lineno, "keeps global state"
        elif isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            is_file_call = call in NUMPY_FILE_CALLS or call.rpartition(".")[2] in FILE_CALLS
            if call == "print" or call.startswith(("sys.stdout.", "sys.stderr.")):
                yield node.lineno, "prints below the estimators"
            elif is_file_call and not may_touch_files:
                yield node.lineno, f"calls {call}: no file access below the estimators"


def face_violations(tree: ast.Module) -> Breaches:
    """The package's __init__ re-exports names and does nothing else."""
    for node in ast.walk(tree):
        if isinstance(node, DOINGS):
            yield node.lineno, "sparsedyn/__init__.py does more than re-export names"


def violations(source: Path) -> list[str]:
    """Every breach of the rules in the package under ``source``, as 'file:line: what'."""
    found: list[str] = []
    root = source / PACKAGE
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        is_package = path.name == "__init__.py"
        parts = path.relative_to(source).with_suffix("").parts
        module = ".".join(parts[:-1] if is_package else parts)
        breaches = list(pickle_violations(tree))
        if module == PACKAGE:
            breaches += face_violations(tree)
        else:
            breaches += import_violations(tree, module, is_package)
            room = module.split(".")[1]
            if room not in ABOVE_THE_LIBRARY and not room.startswith("_"):
                may_touch_files = relative.startswith(FILE_ACCESS)
                breaches += side_effects(tree, module, is_package, may_touch_files)
        found += [f"{relative}:{line}: {what}" for line, what in sorted(breaches)]
    return found


def test_the_package_keeps_the_rules():
    assert (SOURCE / PACKAGE / "__init__.py").exists()
    assert not violations(SOURCE), "\n" + "\n".join(violations(SOURCE))


@pytest.mark.parametrize(
    ("file", "code", "expected"),
    [
        ("data/a.py", "from sparsedyn.models import MLP", "room 'data' imports room 'models'"),
        ("data/a.py", "import sparsedyn.models.mlp", "room 'data' imports room 'models'"),
        ("data/a.py", "from ..sparsify import L1", "room 'data' imports room 'sparsify'"),
        ("data/__init__.py", "from .. import training", "room 'data' imports room 'training'"),
        ("models/deep/a.py", "from ...data import read", "room 'models' imports room 'data'"),
        (
            "systems/a.py",
            "if 1:\n    from sparsedyn import forecast",
            "room 'systems' imports room 'forecast'",
        ),
        ("training/a.py", "from sparsedyn.systems import SYSTEMS", "room 'training' imports room 'systems'"),
        ("estimators/a.py", "from sparsedyn.studies import run", "room 'estimators' imports room 'studies'"),
        ("studies/a.py", "from sparsedyn.cli import main", "room 'studies' imports room 'cli'"),
        ("forecast/a.py", "from sparsedyn import Trajectories", "from the package's public face"),
        ("forecast/a.py", "import sparsedyn", "from the package's public face"),
        ("_devices.py", "from sparsedyn.data import read", "room '_devices' imports room 'data'"),
        ("kitchen/a.py", "", "room 'kitchen' is not in MAY_IMPORT"),
        ("models/a.py", "def f():\n    print(1)", "a.py:2: prints below the estimators"),
        ("models/a.py", "import sys\nsys.stderr.write('x')", "prints below the estimators"),
        ("training/fit.py", "from rich.progress import Progress", "imports rich below the estimators"),
        ("training/fit.py", "open('x')", "calls open"),
        ("forecast/a.py", "from pathlib import Path", "imports pathlib"),
        ("forecast/a.py", "def f(p):\n    p.write_text('x')", "calls p.write_text"),
        ("sparsify/a.py", "import numpy as np\nnp.savez('x', a=1)", "calls np.savez"),
        ("sparsify/a.py", "import numpy as np\nnp.save('x', 1)", "calls np.save"),
        ("sparsify/a.py", "N = 0\ndef f():\n    global N\n    N = 1", "keeps global state"),
        ("data/io.py", "def f():\n    print(1)", "prints below the estimators"),
        ("studies/a.py", "import pickle", "imports pickle"),
        ("cli.py", "from joblib import dump", "imports joblib"),
        ("data/io.py", "import numpy as np\nnp.load('x')", "without allow_pickle=False"),
        ("data/io.py", "import numpy as np\nnp.load('x', allow_pickle=True)", "allows pickle"),
        ("estimators/a.py", "def f(frame):\n    frame.to_pickle('x')", "uses to_pickle"),
        ("__init__.py", "def f(): ...", "does more than re-export"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, file: str, code: str, expected: str):
    write(tmp_path, file, code)
    (message,) = violations(tmp_path)
    assert expected in message


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("data/a.py", "from sparsedyn.data.b import c\nfrom . import d\nfrom .e import f"),
        ("data/io.py", "import os\nfrom pathlib import Path\nPath('x').write_text('y')"),
        ("data/io/csv.py", "open('x')"),
        ("data/io.py", "import numpy as np\nnp.load('x', allow_pickle=False)"),
        ("training/checkpoint.py", "import os\nopen('x')"),
        ("training/a.py", "from sparsedyn._devices import count\nfrom .. import _devices"),
        ("estimators/a.py", "from rich import print\nprint(1)\nopen('x')"),
        ("cli.py", "import sparsedyn\nfrom sparsedyn import Trajectories, studies"),
        ("__main__.py", "from sparsedyn.cli import main\nmain()"),
        ("__init__.py", "from sparsedyn.data import read\n__all__ = ['read']"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, file: str, code: str):
    write(tmp_path, file, code)
    assert violations(tmp_path) == []


def write(source: Path, file: str, code: str) -> None:
    path = source / PACKAGE / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")
