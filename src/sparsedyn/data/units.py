"""Units that stand in the names of columns: `T [°C]`, `P (kW)`."""

import re

BRACKETS = re.compile(r"^(?P<name>.*\S)\s*(?:\[(?P<square>[^\[\]]*)\]|\((?P<round>[^()]*)\))\s*$")
PREFIX = "(?:da|[yzafpnuµμmcdhkMGTPEZY])?"
SYMBOL = (
    r"(?:%|‰|°C|°F|°|deg[CF]?|Ohm|Ω|min|mol|bar|rad|rpm|ppm|ppb|sec|cd|lx|lm|Pa|Hz|Wh|VA|var|eV|"
    r"kat|cm2|Nm|[smgKAVWJNCFTHSlLht])"
)
FACTOR = rf"(?:{PREFIX}{SYMBOL}|1|d)(?:\^?-?[0-9²³]|[²³]|⁻[¹²³])?"
UNIT = re.compile(rf"{FACTOR}(?:\s*[*/·. ]\s*\(?{FACTOR}\)?)*")

TIMES = {
    "ms": "ms", "milliseconds": "ms", "s": "s", "sec": "s", "second": "s", "seconds": "s", "min": "min",
    "minute": "min", "minutes": "min", "h": "h", "hr": "h", "hour": "h", "hours": "h", "day": "d", "days": "d",
    "us": "us", "µs": "us", "μs": "us", "microseconds": "us", "msec": "ms", "ns": "ns", "nanoseconds": "ns",
    "year": "year", "years": "year",
}  # fmt: skip
"""Units of time by how they are written, in lower case: as a unit, or as the whole name of a column."""
SUFFIX = re.compile(r".*[^\W_][_ .-]([^\W\d_]+)")


def time_unit_in(text: str) -> str:
    """Return the unit of time, one of `options.TIME_UNITS`, that a text is; empty where it is none."""
    return TIMES.get(text.strip().casefold(), "")


def time_unit_after(name: str) -> str:
    """Return the unit at the end of the name of a column of times, as of `t_ms` or `elapsed min`; empty for none."""
    found = SUFFIX.fullmatch(name.strip())
    return "" if found is None else time_unit_in(found[1])


def in_brackets(name: str) -> str:
    """Return what stands in [] or () at the end of a name; empty where nothing does."""
    found = BRACKETS.match(name)
    return "" if found is None else (found["square"] or found["round"] or "").strip()


def unit_in(name: str) -> str:
    """Return the unit at the end of a column's name: whatever is in [], and what reads as a unit in ()."""
    found = BRACKETS.match(name)
    if found is None:
        return ""
    if found["square"] is not None:
        return found["square"].strip()
    text = found["round"].strip()
    return text if UNIT.fullmatch(text) else ""
