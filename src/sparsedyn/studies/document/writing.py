"""Write a document: a report with its figures, or a page with its pictures, each file atomically."""

import io
import re
from pathlib import Path

from PIL import Image

from sparsedyn._disk import replacing
from sparsedyn.plotting.style import render
from sparsedyn.studies.document.blocks import Document, Picture
from sparsedyn.studies.document.html import to_html
from sparsedyn.studies.document.markdown import to_markdown
from sparsedyn.studies.files import write_text

GENERATED = "<!-- Written by `sparsedyn study publish`: change the study, not this page. -->"
COLORS = 256


def write_report(document: Document, directory: Path) -> Path:
    """Write `figures/*.png`, `figures/*.pdf` and `report.html` into `directory`; return the report's path."""
    drawn = {}
    for picture in document.pictures():
        drawn[picture.name], pdf = render(picture.draw(), "png", "pdf")
        for suffix, content in (("png", drawn[picture.name]), ("pdf", pdf)):
            _write_bytes(directory / "figures" / f"{picture.name}.{suffix}", content)
    target = directory / "report.html"
    write_text(target, to_html(document, drawn))
    return target


def write_page(document: Document, folder: Path, name: str, *, source: str) -> list[Path]:
    """Write the pictures to `folder/name/`, then `folder/name.md` that links to them; return the files, the page first.

    `source` (Markdown) stands below every picture. Pictures that an earlier page of ours shows and this one does not
    are removed.
    """
    target = folder / f"{name}.md"
    before = earlier_pictures(target)
    images = {folder / name / f"{picture.name}.png": picture for picture in document.pictures(folded=False)}
    for image, picture in images.items():
        _write_bytes(image, drawn(picture))
    write_text(target, to_markdown(document, folder=name, remark=GENERATED, source=source))
    for old in sorted(before - set(images)):
        old.unlink(missing_ok=True)
    return [target, *images]


def earlier_pictures(page: Path) -> set[Path]:
    """Return the pictures of a page that this package published before; none if it is not ours."""
    text = page.read_text(encoding="utf-8", errors="replace") if page.is_file() else ""
    if GENERATED not in text:
        return set()
    return {page.parent / link for link in re.findall(rf"\]\(({re.escape(page.stem)}/[^/()\s]+\.png)\)", text)}


def drawn(picture: Picture) -> bytes:
    """Return the picture's PNG, in at most 256 colours: a third of the bytes, with no visible difference."""
    (png,) = render(picture.draw(), "png")
    image = Image.open(io.BytesIO(png)).convert("RGB")
    stream = io.BytesIO()
    few = image.quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
