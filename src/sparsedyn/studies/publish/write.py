"""From study folders to pages, pictures and the page of claims, whole or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.publish.claims_page import claims_page
from sparsedyn.studies.publish.page import drawn
from sparsedyn.studies.publish.places import check_places, earlier_pictures
from sparsedyn.studies.publish.publication import Draft, Publication
from sparsedyn.studies.publish.slim import keep
from sparsedyn.studies.store import replacing, write_text
from sparsedyn_papers.claims.verdicts import Verdict


def write_pages(studies: Mapping[Path, Publication], folder: Path, results: Path | None) -> list[Path]:
    """Write the pages, pictures and claims of the studies in some folders; see `sparsedyn.studies.kinds.publish`."""
    _check(studies)
    check_places({source: study.spec for source, study in studies.items()}, folder, results)
    written: list[Path] = []
    found: dict[str, Sequence[Verdict]] = {}
    for study in studies.values():
        name = study.spec.name
        with _slim(study) as room:
            draft = study.draft(room)
            found[name] = draft.verdicts
            written += _study(draft, folder, name)
            if results is not None:
                written += keep(room, results / name)
    claims = folder / "claims.md"
    write_text(claims, claims_page(found))
    return [*written, claims]


def _check(studies: Mapping[Path, Publication]) -> None:
    """Check that every study is finished and can be published beside the others."""
    known: dict[str, Path] = {}
    for directory, study in studies.items():
        name = study.spec.name
        study.check()
        if name in known:
            raise StudyError(
                f"{directory}: expected studies of different names, which name their pages; {known[name]} is also "
                f"{name!r}. Publish one of them, or into another folder."
            )
        if name in ("index", "claims"):
            raise StudyError(f"{directory}: its name {name!r} is that of another page. Rename the study.")
        known[name] = directory


@contextmanager
def _slim(study: Publication) -> Iterator[Path]:
    """Yield a slim copy of a study, gone afterwards."""
    with TemporaryDirectory(prefix="sparsedyn-") as place:
        room = Path(place) / study.spec.name
        room.mkdir()
        study.slim(room)
        yield room


def _study(draft: Draft, folder: Path, name: str) -> list[Path]:
    """Write a study's pictures, then the page that links to them; return the files written, the page first."""
    target = folder / f"{name}.md"
    before = earlier_pictures(target)
    images = [folder / name / f"{picture.name}.png" for picture in draft.pictures]
    for picture, image in zip(draft.pictures, images, strict=True):
        with replacing(image) as temporary:
            temporary.write_bytes(drawn(picture))
    write_text(target, draft.text)
    for old in sorted(before - set(images)):
        old.unlink(missing_ok=True)
    return [target, *images]
