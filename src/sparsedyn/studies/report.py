"""A study as pictures and a page: figures as PNG and PDF, and a report.html that needs nothing else."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sparsedyn.studies.figures import render
from sparsedyn.studies.page.assemble import assemble
from sparsedyn.studies.page.contents import read_contents
from sparsedyn.studies.page.picture import Picture
from sparsedyn.studies.page.pictures import pictures
from sparsedyn.studies.store import replacing, write_text


def write_report(directory: Path) -> Path:
    """Write `figures/*.png`, `figures/*.pdf` and `report.html` into a study's directory; return the page's path.

    Everything comes from the stored files, so equal files give equal bytes. What is not stored is left out; only
    results.parquet must be there. Raises `StudyError` without it, or where a file is damaged.
    """
    contents = read_contents(Path(directory))
    drawn = list(stored_pictures(pictures(contents), contents.directory / "figures"))
    target = contents.directory / "report.html"
    write_text(target, assemble(contents, drawn))
    return target


def stored_pictures(chosen: Iterable[Picture], folder: Path) -> Iterator[tuple[Picture, bytes]]:
    """Draw every picture, store it in `folder`, and yield it with its PNG."""
    for picture in chosen:
        png, pdf = render(picture.draw())
        for suffix, content in (("png", png), ("pdf", pdf)):
            with replacing(folder / f"{picture.name}.{suffix}") as temporary:
                temporary.write_bytes(content)
        yield picture, png
