"""The report on a comparison of sparsification techniques."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparsedyn.studies.comparison.answer import answer
from sparsedyn.studies.comparison.contents import Contents, contents_of
from sparsedyn.studies.comparison.data_pictures import data_pictures, fans, shown_cells
from sparsedyn.studies.comparison.dependence_pictures import agreement, maps
from sparsedyn.studies.comparison.explorer import explorer
from sparsedyn.studies.comparison.meanings import MEANINGS
from sparsedyn.studies.comparison.notes import notes, size
from sparsedyn.studies.comparison.pictures import against_size, at_horizons, cost, in_training, over_time
from sparsedyn.studies.comparison.results_table import results_blocks
from sparsedyn.studies.comparison.searched import TERMS, search_record
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.document import Document, Section
from sparsedyn.studies.document.frame import framed
from sparsedyn.studies.search.page import search_blocks
from sparsedyn.studies.stored import StoredStudy


def _no_sections(contents: Contents) -> Sequence[Section]:
    return ()


def _no_cells(contents: Contents) -> Mapping[str, str]:
    return {}


def _fits(spec: StudySpec, labels: Collection[str]) -> None:
    """Accept any spec."""


@dataclass(frozen=True)
class Addition:
    """What another package adds to comparisons: tables of their specs, and sections of their reports.

    `tables` are annotations and defaults by key (see `with_tables`); they have no influence on what is computed.
    `check` raises `Misfit` where they contradict the rest of a spec, whose cells have these labels. `sections` follow
    the results. `shown` are cells whose forecasts are to be shown, each with a remark (Markdown).
    """

    tables: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[StudySpec, Collection[str]], None] = _fits
    sections: Callable[[Contents], Sequence[Section]] = _no_sections
    shown: Callable[[Contents], Mapping[str, str]] = _no_cells


def document(study: StoredStudy[StudySpec], additions: Sequence[Addition] = ()) -> Document:
    """Return the report on a comparison that has results."""
    contents = contents_of(study)
    longest = contents.horizons[-1]
    labels = {label: look.label for label, look in contents.looks.items()}
    searched = search_record(study.spec, study.tables)
    sections = [
        Section("search", "The search", [] if searched is None else search_blocks(searched, TERMS)),
        Section("results", "Results", results_blocks(contents)),
        *(section for addition in additions for section in addition.sections(contents)),
        Section("horizons", "At the horizons", at_horizons(contents)),
        Section("time", "Over time", over_time(contents)),
        Section("fans", "Forecasts against truth", fans(contents, shown(contents, additions))),
        Section("explore", "Explore", explorer(contents)),
        Section("data", "The data", data_pictures(contents)),
        Section("sparsity", "What sparsity costs", against_size(contents)),
        Section("maps", "What depends on what", [*maps(contents), *agreement(contents)]),
        Section("training", "Training", in_training(contents)),
        Section("cost", "Cost", cost(contents)),
    ]
    sentences = answer(contents.at(longest), labels, contents.horizon_names()[longest])
    return framed(study, sections, size=size(contents), answer=sentences, meanings=MEANINGS, notes=notes(contents))


def shown(contents: Contents, additions: Sequence[Addition]) -> Mapping[str, str]:
    """Return the cells whose forecasts are shown, each with a remark: by the additions, else by stability."""
    found: dict[str, str] = {}
    for addition in additions:
        found |= addition.shown(contents)
    return found or dict.fromkeys(shown_cells(contents), "")
