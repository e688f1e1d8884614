"""Run the code blocks of docs/gallery.md in order, and write the pictures that stand below them."""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

PAGE = Path(__file__).with_name("gallery.md")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(.*?)(?=^```python\n|\Z)", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\((images/gallery/[^)]+\.png)\)")
DOTS_PER_INCH = 110
COLORS = 96
"""Colours of a stored picture: lines and areas need no more, and its file is a third as large."""


def blocks() -> Iterator[tuple[str, str | None]]:
    """Yield every code block with the path of the picture below it, None without one."""
    for code, below in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        picture = PICTURE.search(below)
        yield code, picture.group(1) if picture else None


def run(folder: Path) -> list[Path]:
    """Run the page and write its pictures below `folder`; return their paths."""
    from matplotlib import pyplot

    namespace: dict[str, object] = {}
    written = []
    for code, name in blocks():
        exec(compile(code, str(PAGE), "exec"), namespace)
        if name is not None:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture(pyplot.gcf()))
            written.append(target)
        pyplot.close("all")
    return written


def picture(figure: Figure) -> bytes:
    """Return a figure as a small PNG, the same bytes on every run."""
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    Image.open(full).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    matplotlib.use("Agg")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE.parent
    for path in run(folder):
        print(path)
