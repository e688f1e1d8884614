"""The report on a comparison with all that papers add to it."""

from sparsedyn.studies.comparison.contents import contents_of
from sparsedyn.studies.comparison.document import document, shown
from sparsedyn.studies.comparison.kept import kept
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.document import Document
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.comparisons.addition import PAPERS


def comparison_document(study: StoredStudy[StudySpec]) -> Document:
    """Return the report on a comparison that has results."""
    return document(study, [PAPERS])


def kept_comparison(study: StoredStudy[StudySpec]) -> StoredStudy[StudySpec]:
    """Return a comparison with no more than its published page needs."""
    return kept(study, shown(contents_of(study), [PAPERS]))
