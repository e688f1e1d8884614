"""FMUs for co-simulation, FMI 2.0 and 3.0: the C export, the standard's functions, a description, compiled."""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path

from sparsedyn.export import c
from sparsedyn.export.fmu_description import build_description, description
from sparsedyn.export.printing import C
from sparsedyn.export.program import Program

VERSIONS = (2, 3)
FLAGS = ("-std=c99", "-O2", "-fPIC", "-shared", "-fvisibility=hidden")
COMPILERS = ("cc", "gcc", "clang")
SYSTEMS = {"linux": ("linux", ".so"), "darwin": ("darwin", ".dylib")}
"""What FMI calls operating systems, and how shared libraries end there."""
SHORT = {"linux": "linux64", "darwin": "darwin64"}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the archive, so that an export is the same whenever it is made."""


def written(program: Program, version: int, name: str) -> bytes:
    """Return an FMU of FMI `version`, with the sources and a library for the machine at hand.

    **Raises:** `ValueError` for another version; `FileNotFoundError` without a C compiler; `RuntimeError` with the
    compiler's message where it fails.
    """
    if version not in VERSIONS:
        raise ValueError(f"version: expected 2 (FMI 2.0) or 3 (FMI 3.0); got {version!r}.")
    if sys.platform not in SYSTEMS:
        raise ValueError(
            f"an FMU can be made on {' or '.join(SYSTEMS)}, not on {sys.platform}. `--to c` works anywhere."
        )
    compiler = _compiler()
    header = c.written(program, None, double=True, name=name)
    token = hashlib.sha256(f"{version}\n{header}".encode()).hexdigest()[:32]
    fixed = files("sparsedyn.export") / "fmi"
    sources = {
        "model.h": header,
        "fmu.h": _settings(program, token, name),
        "instance.h": (fixed / "instance.h").read_text(),
        f"fmi{version}.c": (fixed / f"fmi{version}.c").read_text(),
    }
    system, ending = SYSTEMS[sys.platform]
    machine = platform.machine().replace("arm64", "aarch64")
    place = SHORT[system] if version == 2 else f"{machine}-{system}"
    content: dict[str, str | bytes] = {
        "modelDescription.xml": description(program, version, name, token),
        **{f"sources/{of}": text for of, text in sources.items()},
        f"binaries/{place}/{name}{ending}": _compiled(compiler, sources, f"fmi{version}.c"),
    }
    if version == 3:
        content["sources/buildDescription.xml"] = build_description(name)
    return _zipped(content)


def _compiler() -> str:
    """The C compiler: that of the environment variable CC, or the first there is."""
    asked = os.environ.get("CC")
    for one in (asked,) if asked else COMPILERS:
        if found := shutil.which(one):
            return found
    raise FileNotFoundError(
        f"an FMU needs a C compiler; looked for {asked or ', '.join(COMPILERS)}. Install one, or name it in the "
        "environment variable CC. `--to c` needs none."
    )


def _compiled(compiler: str, sources: dict[str, str], main: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in sources.items():
            (Path(folder) / name).write_text(text)
        command = [compiler, *FLAGS, main, "-o", "made", "-lm"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{compiler} could not compile the FMU: {done.stderr.strip()}")
        return (Path(folder) / "made").read_bytes()


def _settings(program: Program, token: str, name: str) -> str:
    """What the standard's functions have to know of the model."""
    printer = C()

    given = ", ".join(printer.literal(one.start) for one in (*program.states, *program.inputs))
    moves = program.rhs is not None or program.following is not None
    step = f"{name}_step((x), (u), (x))" if moves else "((void)(x), (void)(u))"
    output = f"{name}_output((x), (u), (y))" if program.output is not None else "((void)(y))"
    lines = [
        "#ifndef FMU_H",
        "#define FMU_H",
        "",
        f"#define {name.upper()}_API static inline",
        '#include "model.h"',
        "",
        f'#define FMU_TOKEN "{token}"',
        f"#define FMU_STATES {len(program.states)}",
        f"#define FMU_INPUTS {len(program.inputs)}",
        f"#define FMU_OUTPUTS {len(program.outputs)}",
        f"#define FMU_DT {printer.literal(program.dt)}",
        f"#define FMU_GIVEN {given}",
        f"#define FMU_FUNCTION {int(not moves)}",
        f"#define FMU_STEP(x, u) {step}",
        f"#define FMU_OUTPUT(x, u, y) {output}",
        "",
        "#endif /* FMU_H */",
    ]
    return "\n".join(lines) + "\n"


def _zipped(content: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return made.getvalue()
