"""Names of folders."""

import re

MOST = 200
"""Characters of a folder name, which file systems bound by 255."""


def slug_of(label: str) -> str:
    """Return a folder name: small letters and digits, dashes between; "Magnitude 75 %" is "magnitude-75"."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower())[:MOST].strip("-") or "cell"
