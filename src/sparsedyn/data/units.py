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


def unit_in(name: str) -> str:
    """Return the unit at the end of a column's name: whatever is in [], and what reads as a unit in ()."""
    found = BRACKETS.match(name)
    if found is None:
        return ""
    if found["square"] is not None:
        return found["square"].strip()
    text = found["round"].strip()
    return text if UNIT.fullmatch(text) else ""
