"""Comparisons of techniques as a kind of study."""

from collections.abc import Sequence
from pkgutil import resolve_name

from sparsedyn.studies.cells import CellFiles
from sparsedyn.studies.comparison import kept
from sparsedyn.studies.comparison.cells import expand, points_of
from sparsedyn.studies.comparison.contents import contents_of
from sparsedyn.studies.comparison.document import Addition, document, shown
from sparsedyn.studies.comparison.results import results
from sparsedyn.studies.comparison.search import how_far
from sparsedyn.studies.comparison.spec import StudySpec, with_tables
from sparsedyn.studies.comparison.summary import overview, summary
from sparsedyn.studies.comparison.units import cells_in, units
from sparsedyn.studies.document import Document
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.providers import providers
from sparsedyn.studies.stored import StoredStudy

FILES = CellFiles("curves.npz", ("forecasts", "history"), ("model.safetensors",))


def _additions() -> Sequence[Addition]:
    return [resolve_name(provider.addition) for provider in providers().values() if provider.addition]


def _check(spec: StudySpec) -> None:
    # The cells of a search are those combinations that are left at its end.
    cells = expand(spec)
    labels = [one.label for one in (cells if spec.search is None else points_of(spec))]
    for addition in _additions():
        addition.check(spec, labels)


def _document(study: StoredStudy[StudySpec]) -> Document:
    return document(study, _additions())


def _kept(study: StoredStudy[StudySpec]) -> StoredStudy[StudySpec]:
    return kept.kept(study, shown(contents_of(study), _additions()))


COMPARISON = Kind(
    spec=with_tables({key: table for addition in _additions() for key, table in addition.tables.items()}),
    check=_check,
    paths=("data.files",),
    overview=overview,
    cells=cells_in,
    undecided=how_far,
    chained=lambda spec: spec.search is not None,
    units=units,
    files=FILES,
    results=results,
    document=_document,
    kept=_kept,
    summary=summary,
)
