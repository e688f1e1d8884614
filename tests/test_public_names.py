"""Public names: one table for Python and type checkers, imported at first use; CPU devices before JAX is used."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest

import sparsedyn
from sparsedyn._lazy import attach, origins

STUBS = sorted(Path(next(iter(sparsedyn.__path__))).rglob("__init__.pyi"))


def package_of(stub: Path) -> str:
    return ".".join(("sparsedyn", *stub.parent.relative_to(STUBS[0].parent).parts))


def python(code: str, **environment: str) -> str:
    """Run code in a new process, in an environment without settings of devices but those given."""
    clean = {key: value for key, value in os.environ.items() if not key.endswith("CPU_DEVICES") and key != "XLA_FLAGS"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env=clean | environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("stub", STUBS, ids=package_of)
def test_every_name_of_a_stub_is_there_and_no_other(stub):
    package = importlib.import_module(package_of(stub))
    table = origins(package.__name__, stub)
    # A stub is a list of imports under the same names and `__all__`: nothing in it is hidden from `origins`.
    *imports, exports = ast.parse(stub.read_text()).body
    assert all(isinstance(node, ast.ImportFrom) for node in imports)
    assert all(alias.asname in (None, alias.name) for node in imports for alias in node.names)
    assert ast.unparse(exports.targets[0]) == "__all__"
    public = sorted(name for name in table if not name.startswith("_"))
    assert sorted(ast.literal_eval(exports.value)) == sorted(package.__all__) == public
    assert dir(package) == sorted(table)
    for name, (origin, _) in table.items():
        value = getattr(package, name)
        assert importlib.import_module(origin if origin != package.__name__ else f"{origin}.{name}") is not None
        assert getattr(package, name) is value


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'sparsedyn' has no attribute 'SparseStepper'"):
        _ = sparsedyn.SparseStepper
    assert not hasattr(sparsedyn, "cellar")


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'jax', 'numpy', 'pandas', 'equinox', 'scipy', 'sympy', 'sklearn', 'rich', 'importlib.metadata'}"
    assert python(f"import sys, sparsedyn; print({heavy} & set(sys.modules))") == "set()"


@pytest.fixture
def parcel(tmp_path, monkeypatch):
    """A package with lazy names, one of them in a file of the same name."""
    folder = tmp_path / "parcel"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from sparsedyn._lazy import attach\n__getattr__, __dir__, __all__ = attach(__name__)\n"
    )
    (folder / "__init__.pyi").write_text(
        "from . import tape as tape\nfrom .wrap import wrap as wrap\nfrom .tape import _width as _width\n"
    )
    (folder / "wrap.py").write_text("def wrap(): ...\n")
    (folder / "tape.py").write_text("_width = 5\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("parcel")
    for name in [name for name in sys.modules if name.partition(".")[0] == "parcel"]:
        del sys.modules[name]


def test_a_name_wins_over_the_file_it_is_in(parcel):
    importlib.import_module("parcel.wrap")
    assert isinstance(parcel.wrap, FunctionType)


def test_names_are_imported_at_their_first_use(parcel):
    assert "parcel.wrap" not in sys.modules
    assert parcel.wrap is sys.modules["parcel.wrap"].wrap
    assert parcel.tape is sys.modules["parcel.tape"]
    assert parcel._width == 5
    assert (dir(parcel), parcel.__all__) == (["_width", "tape", "wrap"], ["tape", "wrap"])


def test_a_module_without_a_stub_cannot_be_attached():
    with pytest.raises(FileNotFoundError, match="pyi"):
        attach("json.decoder")


COUNT = "import jax; print(jax.device_count())"


@pytest.mark.parametrize(
    ("code", "environment", "expected"),
    [
        (f"import sparsedyn; sparsedyn.SparseTimeStepper; {COUNT}", {}, "cores"),
        (f"import sparsedyn; {COUNT}", {"SPARSEDYN_CPU_DEVICES": "3"}, "3"),
        (f"import jax, sparsedyn; {COUNT}", {"SPARSEDYN_CPU_DEVICES": "3"}, "3"),
        (f"import sparsedyn; {COUNT}", {"JAX_NUM_CPU_DEVICES": "5"}, "5"),
        (f"import sparsedyn; {COUNT}", {"JAX_NUM_CPU_DEVICES": "5", "SPARSEDYN_CPU_DEVICES": "4"}, "4"),
        (f"import sparsedyn; {COUNT}", {"XLA_FLAGS": "--xla_force_host_platform_device_count=6"}, "6"),
        (f"import jax; jax.devices(); import sparsedyn; {COUNT}", {"SPARSEDYN_CPU_DEVICES": "3"}, "1"),
    ],
)
def test_devices_are_set_before_jax_is_used_and_what_the_user_has_set_stays(code, environment, expected):
    cores = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 16)
    assert python(code, **environment) == expected.replace("cores", str(cores))


@pytest.mark.parametrize("text", ["0", "many", "-1"])
def test_a_number_of_devices_that_is_none_is_said(monkeypatch, text):
    from sparsedyn._devices import requested

    monkeypatch.setenv("SPARSEDYN_CPU_DEVICES", text)
    with pytest.warns(UserWarning, match=f"SPARSEDYN_CPU_DEVICES: expected a number of at least 1; got '{text}'"):
        assert requested() is None


KEPT = "import os, sparsedyn; print(os.environ.get('JAX_COMPILATION_CACHE_DIR', ''))"
ENABLED = "import sparsedyn, jax; print(jax.config.jax_enable_compilation_cache)"
CONFIGURED = "import jax, sparsedyn; print(jax.config.jax_compilation_cache_dir)"


@pytest.mark.parametrize(
    ("code", "home", "before", "expected"),
    [
        (KEPT, "caches", "", "{home}/caches/sparsedyn/jax"),
        (CONFIGURED, "caches", "", "{home}/caches/sparsedyn/jax"),
        (KEPT, "caches", "{home}/elsewhere", "{home}/elsewhere"),
        (ENABLED, "caches", "{home}/elsewhere", "True"),
        (ENABLED, "caches", "{home}/a-file/there", "False"),
        (ENABLED, "caches", "gs://elsewhere", "True"),
        (f"import jax; {ENABLED}", "caches", "{home}/a-file/there", "False"),
        (KEPT, "a-file", "", ""),
    ],
)
def test_what_jax_compiles_is_kept_where_the_user_keeps_caches(tmp_path, monkeypatch, code, home, before, expected):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    (tmp_path / "a-file").write_text("")
    given = {"XDG_CACHE_HOME": str(tmp_path / home)}
    if before:
        given["JAX_COMPILATION_CACHE_DIR"] = before.format(home=tmp_path)
    assert python(code, **given) == expected.format(home=tmp_path)
