"""How much memory this process may use: a budget that is set in the environment, or a share of what is free."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

VARIABLE = "SPARSEDYN_MEMORY"
"""The environment variable that sets the budget, in bytes or as in `2 GB`."""
SHARE = 0.5
"""Share of the memory that is free, which is the budget where none is set."""
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def budget() -> int:
    """Return the bytes that may be used; `ValueError` where `SPARSEDYN_MEMORY` is no amount of memory."""
    given = os.environ.get(VARIABLE, "").strip()
    if not given:
        return int(SHARE * free())
    found = AMOUNT.fullmatch(given)
    if found is None or found[2].upper() not in UNITS or not float(found[1]):
        raise ValueError(f"{VARIABLE}={given!r}: expected bytes, or an amount such as '500 MB' or '2 GB'.")
    return int(float(found[1]) * UNITS[found[2].upper()])


def is_set() -> bool:
    """Whether the budget is set in the environment."""
    return bool(os.environ.get(VARIABLE, "").strip())


def amount(size: float) -> str:
    """Write a number of bytes, as 1.5 GB."""
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.3g} {unit}"
    return f"{size / 1000:.4g} TB"


def free() -> int:
    """Return the bytes of memory that this process can still have: what is available, or left in its control group."""
    return max(0, min([_available(), *left_in_groups()]))


def _available() -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def left_in_groups(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """Yield what is left below the limit of every control group that this process is in, of version 2 or 1."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds == "":
                base, limit, used = root, "memory.max", "memory.current"
            elif "memory" in kinds.split(","):
                base, limit, used = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            else:
                continue
            # A container may see its own group as the root, whatever path it is told.
            group = base / path.strip("/")
            for folder in (group, *group.parents):
                with suppress(OSError, ValueError):
                    yield int((folder / limit).read_text()) - int((folder / used).read_text())
                if folder == base:
                    break
