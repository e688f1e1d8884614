"""What is fuzzed: every reader with files to damage, words that mean something in them, and the errors it may raise."""

import io
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from safetensors.numpy import load as arrays_of
from safetensors.numpy import save as serialized

from sparsedyn import Scaling, SparseStateSpace, load
from sparsedyn._warnings import Report
from sparsedyn.data import DataError, Trajectories, look, read, write
from sparsedyn.equations import parsed
from sparsedyn.estimators._checks import Variables
from sparsedyn.models import StateSpace
from sparsedyn.studies.catalogue import studies
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.reading import load as load_study
from sparsedyn.training import CheckpointError
from sparsedyn.training.checkpoint import _digest, load_arrays, load_tree, save_tree

from .mutations import Draw, changed, damaged, reshaped

STORED = Path(__file__).parents[1] / "estimators" / "stored"
MODELS = ("autoencoder", "learner", "regressor", "sindy", "stepper")


class Target(NamedTuple):
    """Files to begin with, how to damage one, what to do with it, and the errors that may leave it."""

    seeds: Callable[[], tuple[bytes, ...]]
    damage: Callable[[bytes, Draw], bytes]
    use: Callable[[bytes, Path], Any]
    errors: tuple[type[Exception], ...]

    def case(self, draw: Draw) -> bytes:
        """Return a damaged file."""
        seeds = self.seeds()
        return self.damage(seeds[draw(len(seeds))], draw)

    def run(self, content: bytes, folder: Path) -> bool:
        """Use a file, and return whether it was refused; any other error than those that may be leaves this."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return bool(self.use(content, folder))
            except self.errors as error:
                check_message(error, "")
                return True


def check_message(error: Exception, place: str) -> None:
    if not str(error) or not str(error).startswith(place):
        raise AssertionError(f"a message that begins with {place!r} expected; got {error!r}") from error


def trajectories() -> Trajectories:
    rng = np.random.default_rng(0)
    states = [rng.normal(size=(n, 2)).cumsum(axis=0) for n in (9, 7)]
    return Trajectories(states, [x[:, :1] for x in states], dt=0.5, labels=["a", "b"], attrs={"seed": 3})


def written(suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(trajectories(), Path(folder) / f"x{suffix}")
        return (Path(folder) / f"x{suffix}").read_bytes()


TEXTS = (
    b"t,x,u\n0,1,2\n1,2,3\n2,3,4\n3,4,5\n",
    b"sep=;\nt;x;u\n0,5;1,5;2\n1,5;2,5;3\n",
    b"# a comment\nrun\tt\tx\tu\nr\t0\t1\t2\nr\t1\t2\t3\ns\t0\t2\t3\ns\t1\t2\t\n",
    b't,x,u\n2024-01-01 00:00:00,1 kg,"on"\n2024-01-01 00:00:01,2 kg,"off"\n2024-01-01 00:00:02,3 kg,"on"\n',
    "t,x,u\n0,1,2\n1,2,3\n2,3,4\n".encode("utf-16"),
    b"t x u\n0 1 2\n1 2 3\n2 3 4\n",
)
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"gaps": "cut", "duplicates": "mean", "restarts": "cut"},
    {"separator": ";", "decimal": ","},
    {"cell_units": True, "fill": "hold"},
    {"header": False, "skip_rows": 1},
    {"separator": "whitespace", "units_row": True},
    {"separator": "fixed", "encoding": "cp1252"},
)


def use_data(content: bytes, folder: Path, suffix: str) -> bool:
    path = folder / f"case{suffix}"
    path.write_bytes(content)
    chosen = sum(content)
    options = OPTIONS[chosen % len(OPTIONS)] if suffix == ".csv" else {}
    try:
        if chosen % 4 == 0:
            read(path)
        elif chosen % 4 == 1:
            look(path, **options)
        else:
            read(path, states=["x"], inputs=["u"], time="t", **options)
    except DataError as error:
        check_message(error, str(path))
        return True
    return False


@cache
def foreign(suffix: str) -> tuple[bytes, ...]:
    stream = io.BytesIO()
    columns = {"t": np.arange(6.0), "x": np.arange(6.0) ** 2, "u": np.arange(6), "name": np.array(list("aabbcc"))}
    if suffix == ".npz":
        np.savez_compressed(stream, **columns)
        second = io.BytesIO()
        np.savez(second, x=np.arange(24.0).reshape(2, 6, 2))
        return stream.getvalue(), second.getvalue()
    if suffix == ".parquet":
        columns["name"] = columns["name"].astype(object)
        pd.DataFrame(columns).to_parquet(stream)
        return (stream.getvalue(),)
    with h5py.File(stream, "w") as file:
        for name in ("t", "x", "u"):
            file.create_dataset(name, data=columns[name], chunks=(3,), compression="gzip")
    return (stream.getvalue(),)


@cache
def seeds_of(suffix: str) -> tuple[bytes, ...]:
    return (written(suffix), *(TEXTS if suffix == ".csv" else foreign(suffix)))


def data_target(suffix: str, words: tuple[bytes, ...]) -> Target:
    use = partial(use_data, suffix=suffix)
    return Target(partial(seeds_of, suffix), lambda content, draw: damaged(content, draw, words), use, ())


def parts_of(content: bytes) -> tuple[dict[str, np.ndarray], Any]:
    size = int.from_bytes(content[:8], "little")
    return arrays_of(content), json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["sparsedyn"])


def sealed(arrays: Mapping[str, np.ndarray], header: Any) -> bytes:
    """Return a file with a checksum that fits, as whoever means harm would write it."""
    text, plain = json.dumps(header), {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return serialized(plain, metadata={"sparsedyn": text, "sha256": _digest(plain, text)})


def resealed(content: bytes, draw: Draw) -> bytes:
    """Change a model file, mostly what it says rather than its bytes, which the checksum guards."""
    if draw(8) == 0:
        return damaged(content, draw, (b"\x00", b"{", b"[[[[", b'"F64"', b"9999999999"))
    arrays, header = parts_of(content)
    for _ in range(1 + draw(2)):
        if arrays and draw(3) == 0:
            arrays = reshaped(arrays, draw)
        else:
            header = changed(header, draw)
    return sealed(arrays, header)


@cache
def stored_models() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        state_space().save(Path(folder) / "x")
        return (*((STORED / f"{name}.model").read_bytes() for name in MODELS), (Path(folder) / "x").read_bytes())


def state_space() -> SparseStateSpace:
    made = SparseStateSpace()
    made.model_ = StateSpace.zeros(2, 1, 1, ("tanh",))
    made.statistics_, made.variables_ = Scaling.identity(1, 1), Variables(("y",), ("u",), ("",), ("",), 0.1)
    made.mean_, made.covariance_, made.error_, made.held_out_ = np.zeros(2), np.eye(2), 0.01, 0.1
    made.kept_, made.path_, made.report_ = made.model_.ravel() == 0, pd.DataFrame({"weights": [3]}), Report()
    return made


def use_model(content: bytes, folder: Path) -> bool:
    """Load a model, and use what could be loaded: that must work."""
    path = folder / "case.model"
    path.write_bytes(content)
    try:
        model = load(path)
    except CheckpointError as error:
        check_message(error, str(path))
        return True
    repr(model)
    if hasattr(model, "statements"):
        [statement.text() for statement in model.statements()]
    if hasattr(model, "delays_") and not model.delays_.rows:
        model.predict(np.zeros((2, len(model.state_names_))), np.zeros((2, len(model.input_names_))))
    return False


@cache
def checkpoint_seed() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        save_tree(Path(folder) / "x", tree(), {"identity": "a", "step": 3})
        return ((Path(folder) / "x").read_bytes(),)


def tree() -> dict[str, np.ndarray]:
    return {"w": np.ones((2, 3), np.float32), "step": np.zeros((), np.int32), "mask": np.ones(4, bool)}


def use_checkpoint(content: bytes, folder: Path) -> None:
    path = folder / "case.safetensors"
    path.write_bytes(content)
    load_arrays(path)
    load_tree(path, tree())


@cache
def specs() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in studies().values())


def use_spec(content: bytes, folder: Path) -> None:
    path = folder / "case.toml"
    path.write_bytes(content)
    load_study(path)


EXPRESSIONS = (
    b"2*x - sin(y)**2",
    b"x**3/(1 + y**2) - 0.5*x*y",
    b"Max(x, y) + sqrt(Abs(x)) - log(2*y)",
    b"exp(-x/2.5)*pi",
)

TARGETS: dict[str, Target] = {
    "csv": data_target(
        ".csv", (b",", b";", b'"', b"\n", b"\r", b"\t", b"1e400", b"nan", b"\xff", b"#", b"sep=", b"\x00")
    ),
    "npz": data_target(".npz", (b"PK\x03\x04", b"'shape': (99999999999, 2)", b"\x93NUMPY", b"\x00\x00", b"|O")),
    "parquet": data_target(".parquet", (b"PAR1", b"\x00", b"\x15\xff\xff\xff\x7f", b"\x19\x4c")),
    "netcdf": data_target(".nc", (b"\x89HDF\r\n\x1a\n", b"\x00", b"TREE", b"\xff\xff\xff\xff", b"OHDR")),
    "model": Target(stored_models, resealed, use_model, ()),
    "checkpoint": Target(checkpoint_seed, resealed, use_checkpoint, (CheckpointError,)),
    "spec": Target(
        specs,
        lambda content, draw: damaged(
            content, draw, (b"[", b"]" * 50, b"{" * 400, b"=", b'"', b"\xff", b"9" * 30, b"inf")
        ),
        use_spec,
        (StudyError,),
    ),
    "expression": Target(
        lambda: EXPRESSIONS,
        lambda content, draw: damaged(
            content, draw, (b"(", b")", b"**", b"x", b"9" * 20, b"sin(", b"/0", b"1e300", b"-")
        ),
        lambda content, folder: parsed(content.decode("latin-1"), ["x", "y"]),
        (ValueError,),
    ),
}
