"""From study folders to pages, pictures and the page of claims, whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sparsedyn.studies.claims import Verdict, verdicts, verdicts_markdown
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.page.contents import Contents, read_contents
from sparsedyn.studies.page.published import published_markdown
from sparsedyn.studies.publish.claims_page import claims_page
from sparsedyn.studies.publish.page import chosen_pictures, drawn, page
from sparsedyn.studies.publish.places import check_places, earlier_pictures
from sparsedyn.studies.publish.slim import keep, slim
from sparsedyn.studies.runner import cells_in
from sparsedyn.studies.spec import StudySpec
from sparsedyn.studies.store import Store, replacing, write_text


def publish(directories: Sequence[str | Path], output: str | Path, *, results: str | Path | None = None) -> list[Path]:
    """Write a page with its pictures for every finished study, and one page of all claims; return the files written.

    Into `output` go `NAME.md` and `NAME/*.png` of each study, and `claims.md`; pictures that an earlier page shows and
    that are not drawn any more are removed. With `results`, what the pages are made from goes to `results/NAME`, some
    megabytes each, from which the same pages can be published again. Equal folders give equal bytes. Raises
    `StudyError`, before anything is written, for a folder that is not a finished study or has lost files, for two of
    one name, and for places that are files or hold something else (see `check_places`).
    """
    folder = Path(output)
    specs = _finished([Path(directory) for directory in directories])
    check_places(specs, folder, None if results is None else Path(results))
    written: list[Path] = []
    found: dict[str, list[Verdict]] = {}
    for source, spec in specs.items():
        with _slim(source, spec) as room:
            contents = read_contents(room)
            found[spec.name] = verdicts(spec, contents.cells)
            written += _study(contents, spec, verdicts_markdown(found[spec.name]), folder)
            if results is not None:
                written += keep(room, Path(results) / spec.name)
    claims = folder / "claims.md"
    write_text(claims, claims_page(found))
    return [*written, claims]


def _finished(directories: Sequence[Path]) -> dict[Path, StudySpec]:
    """Read the spec of every folder and check that its study can be published beside the others."""
    specs: dict[Path, StudySpec] = {}
    for directory in directories:
        spec = Store(directory).comparison()
        _check_finished(directory, spec)
        for other, known in specs.items():
            if known.name == spec.name:
                raise StudyError(
                    f"{directory}: expected studies of different names, which name their pages; {other} is also "
                    f"{spec.name!r}. Publish one of them, or into another folder."
                )
        if spec.name in ("index", "claims"):
            raise StudyError(f"{directory}: its name {spec.name!r} is that of another page. Rename the study.")
        specs[directory] = spec
    return specs


def _check_finished(directory: Path, spec: StudySpec) -> None:
    store = Store(directory)
    cells = cells_in(store, spec)
    if not cells:
        raise StudyError(
            f"{directory}: expected a finished study; its search is still going on. Finish it first: "
            f"sparsedyn study resume {directory}"
        )
    missing = [cell.label for cell in cells if not store.is_finished(cell.slug)]
    if missing:
        raise StudyError(
            f"{directory}: expected a finished study; {len(missing)} of {len(cells)} cells are missing, the first is "
            f"{missing[0]!r}. Finish it first: sparsedyn study resume {directory}"
        )
    store.check_cells()
    stored = set(read_contents(directory).results["cell"])
    absent = [cell.label for cell in cells if cell.label not in stored]
    if absent:
        raise StudyError(
            f"{directory}: expected every cell in results.parquet; {absent[0]!r} is not in it. Collect the results "
            f"again: sparsedyn study report {directory}"
        )


@contextmanager
def _slim(source: Path, spec: StudySpec) -> Iterator[Path]:
    """Yield a slim copy of a study, gone afterwards."""
    with TemporaryDirectory(prefix="sparsedyn-") as place:
        room = Path(place) / spec.name
        room.mkdir()
        slim(source, spec, room)
        yield room


def _study(contents: Contents, spec: StudySpec, claims: str, folder: Path) -> list[Path]:
    """Write a study's pictures, then the page that links to them; return the files written, the page first."""
    chosen = chosen_pictures(contents, spec)
    room, target = folder / spec.name, folder / f"{spec.name}.md"
    before = earlier_pictures(target)
    images = [room / f"{picture.name}.png" for picture in chosen]
    for picture, image in zip(chosen, images, strict=True):
        with replacing(image) as temporary:
            temporary.write_bytes(drawn(picture))
    published = published_markdown(contents) if spec.published is not None else ""
    write_text(target, page(contents, spec, chosen, published, claims))
    for old in sorted(before - set(images)):
        old.unlink(missing_ok=True)
    return [target, *images]
