"""How messages spell options: as Python has them, unless a command is running, in which they are typed."""

import re
from contextvars import ContextVar

TYPED = ContextVar("TYPED", default=False)
"""Whether messages are for someone who typed a command: set while one runs."""
OPTION = re.compile(r" \(--[^()]*\)")
"""An option as it is typed, after it was written in Python: gaps='cut' (--gaps cut)."""


def spelt(text: str) -> str:
    """Return a message with both spellings as it is for a command, and without those that are typed elsewhere."""
    return text if TYPED.get() else OPTION.sub("", text)
