"""Labels and numbers as pictures write them."""

import math
import re
import textwrap

from sparsedyn.data.units import in_brackets

EXPONENT = re.compile(r"(?:\*\*|\^)\(?(-?\d+)\)?(?!\.?\d)")
TIMES = re.compile(r"(?<!\*)\*(?!\*)")
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain(label: str, width: int = 34, lines: int = 2) -> str:
    """Wrap a user's label and keep its dollar signs from being read as mathematics."""
    wrapped = textwrap.wrap(" ".join(label.split()), width) or [""]
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], wrapped[lines - 1][: width - 1] + "…"]
    return "\n".join(wrapped).replace("$", r"\$")


def entry(label: str, width: int = 34) -> str:
    """Return a label for a legend, which would leave out a name that begins with an underscore."""
    text = plain(label, width)
    # A space of no width before it.
    return f"\u200b{text}" if text.startswith("_") else text


def unit_text(unit: str) -> str:
    """Write a unit the way it is printed: `kg*m**-3` as `kg·m⁻³`, `degC` as `°C`."""
    raised = EXPONENT.sub(lambda found: found[1].translate(RAISED), unit)
    return TIMES.sub("·", raised).replace("degC", "°C").replace("degF", "°F")


def with_unit(name: str, unit: str) -> str:
    """Return a name followed by its unit, where it has one that does not stand at the end of the name already."""
    return f"{name}, {unit_text(unit)}" if unit and in_brackets(name) != unit else name


def number(value: float, digits: int = 2) -> str:
    """Write `value` with so many significant digits, without exponent between 0.001 and a million."""
    if not math.isfinite(value):
        return "–"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        places = 0 if value == 0 else max(0, digits - 1 - math.floor(math.log10(abs(value))))
        return f"{value:,.{places}f}"
    return f"{value:.{digits - 1}e}"
