"""Names of folders."""

import re


def slug_of(label: str) -> str:
    """Return a folder name: small letters and digits, dashes between; "Magnitude 75 %" is "magnitude-75"."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "cell"
