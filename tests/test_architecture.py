"""The rules of docs/architecture.md that import-linter (see pyproject.toml) cannot say, read off the source.

Nothing below the estimators prints, touches files or keeps global state; nothing anywhere is pickled; no file imports
from the front of a package that it lies in.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGES = ("sparsedyn", "sparsedyn_papers")

BELOW_THE_ESTIMATORS = {"data", "models", "sparsify", "systems", "forecast", "equations", "training"}

# The only files below the estimators that may touch the disk.
FILE_ACCESS = (
    "sparsedyn/data/io.py",
    "sparsedyn/data/formats/",
    "sparsedyn/data/streaming/",
    "sparsedyn/training/checkpoint.py",
)

FILE_MODULES = {"glob", "io", "os", "pathlib", "shutil", "subprocess", "tempfile"}
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


def side_effects(tree: ast.AST) -> Breaches:
    """Printing and global state."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield node.lineno, "keeps global state"
        elif isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            if call == "print" or call.startswith(("sys.stdout.", "sys.stderr.")):
                yield node.lineno, "prints below the estimators"


def file_access(tree: ast.AST) -> Breaches:
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            if name.partition(".")[0] in FILE_MODULES:
                yield node.lineno, f"imports {name}: no file access below the estimators"
        if isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            if call in NUMPY_FILE_CALLS or call.rpartition(".")[2] in FILE_CALLS:
                yield node.lineno, f"calls {call}: no file access below the estimators"


def violations(source: Path) -> list[str]:
    """Every breach of the rules in the packages under ``source``, as 'file:line: what'."""
    found: list[str] = []
    for path in sorted(path for package in PACKAGES for path in (source / package).rglob("*.py")):
        relative = path.relative_to(source)
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        breaches = list(pickle_violations(tree))
        if relative.parts[1] in BELOW_THE_ESTIMATORS:
            breaches += side_effects(tree)
            if not relative.as_posix().startswith(FILE_ACCESS):
                breaches += file_access(tree)
        found += [f"{relative}:{line}: {what}" for line, what in sorted(breaches)]
    return found


def test_the_package_keeps_the_rules():
    assert {path.name for path in (SOURCE / "sparsedyn").iterdir()} >= BELOW_THE_ESTIMATORS
    assert not violations(SOURCE), "\n" + "\n".join(violations(SOURCE))


def test_no_file_imports_from_the_front_of_its_own_package():
    # Such a front imports the file in turn: a circle that import-linter, which compares siblings, does not see.
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    found = [
        f"{module} imports {front}"
        for module in sorted(graph.modules)
        for front in graph.find_modules_directly_imported_by(module)
        if module.startswith(f"{front}.") and front != "sparsedyn"
    ]
    assert not found, "\n" + "\n".join(found)


def test_the_papers_use_public_names_only():
    # As any user would; import-linter has no wildcard for a part of a name.
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    found = [
        f"{module} imports {used}"
        for module in sorted(graph.modules)
        for used in graph.find_modules_directly_imported_by(module)
        if module.startswith("sparsedyn_papers") and used.startswith("sparsedyn.") and "._" in used
    ]
    assert not found, "\n" + "\n".join(found)
    assert private_names(SOURCE / "sparsedyn_papers") == []


def private_names(source: Path) -> list[str]:
    """Names with an underscore that files import from `sparsedyn`."""
    return [
        f"{path.name}:{node.lineno}: {alias.name}"
        for path in sorted(source.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sparsedyn"
        for alias in node.names
        if alias.name.startswith("_")
    ]


@pytest.mark.parametrize(
    ("file", "code", "expected"),
    [
        ("models/a.py", "def f():\n    print(1)", "a.py:2: prints below the estimators"),
        ("models/a.py", "import sys\nsys.stderr.write('x')", "prints below the estimators"),
        ("training/fit.py", "open('x')", "calls open"),
        ("forecast/a.py", "from pathlib import Path", "imports pathlib"),
        ("forecast/a.py", "def f():\n    import os.path", "imports os.path"),
        ("forecast/a.py", "def f(p):\n    p.write_text('x')", "calls p.write_text"),
        ("sparsify/a.py", "import numpy as np\nnp.savez('x', a=1)", "calls np.savez"),
        ("sparsify/a.py", "import numpy as np\nnp.save('x', 1)", "calls np.save"),
        ("sparsify/a.py", "N = 0\ndef f():\n    global N\n    N = 1", "keeps global state"),
        ("data/io.py", "def f():\n    print(1)", "prints below the estimators"),
        ("data/io.py", "import numpy as np\nnp.load('x')", "without allow_pickle=False"),
        ("data/io.py", "import numpy as np\nnp.load('x', allow_pickle=True)", "allows pickle"),
        ("estimators/a.py", "def f(frame):\n    frame.to_pickle('x')", "uses to_pickle"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, file: str, code: str, expected: str):
    write(tmp_path, file, code)
    (message,) = violations(tmp_path)
    assert expected in message


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("data/io.py", "import os\nfrom pathlib import Path\nPath('x').write_text('y')"),
        ("data/formats/csv.py", "open('x')"),
        ("data/io.py", "import numpy as np\nnp.load('x', allow_pickle=False)"),
        ("training/checkpoint.py", "import os\nopen('x')"),
        ("training/a.py", "from .os import x\nfrom sparsedyn.training.io import y"),
        ("estimators/a.py", "print(1)\nopen('x')"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, file: str, code: str):
    write(tmp_path, file, code)
    assert violations(tmp_path) == []


def test_coverage_leaves_out_what_numba_compiles():
    """It cannot compile marked lines."""
    settings = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    imports = re.compile(r"^(from|import) numba\b", re.MULTILINE)
    files = (path for path in SOURCE.rglob("*.py") if imports.search(path.read_text(encoding="utf-8")))
    found = sorted(path.relative_to(SOURCE.parent).as_posix() for path in files)
    assert settings["tool"]["slipcover"]["omit"] == found


def write(source: Path, file: str, code: str) -> None:
    path = source / "sparsedyn" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")
