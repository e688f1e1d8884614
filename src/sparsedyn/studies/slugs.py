"""Names of folders."""

import re

LONGEST = 200
"""Letters of a name: file systems allow 255 bytes, and some names get endings."""


def slug_of(label: str) -> str:
    """Return a folder name: small letters and digits, dashes between, cut; "Magnitude 75 %" is "magnitude-75"."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:LONGEST].rstrip("-") or "cell"
