"""The words and columns of a search of SINDy autoencoders."""

from collections.abc import Sequence

from sparsedyn.studies.document import Column
from sparsedyn.studies.document.words import DASH, duration
from sparsedyn.studies.search.page import Terms
from sparsedyn.studies.search.record import Tried
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.autoencoders.ranking import error_text, first
from sparsedyn_papers.autoencoders.search import trial_of
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec

MEANINGS = {
    "objective": "ln(decoder + derivative) + terms ln 1.1 on held-out data, the least of a trial's members: a term has "
    "to make errors a tenth smaller. Errors count a hundredfold where simulations leave the region of the data. Made "
    "without the truth and without test data. At rungs it is without the terms.",
    "held out": "The same errors on the part of the training data that nobody was trained on; they choose the trials.",
}
HOW = (
    "Each trial has values that those before it make promising, and is compared at every rung with those that came as "
    "far. Neither the truth nor test data were read for these choices."
)
COLUMNS = (
    Column("held out: decoder", group=True),
    Column("derivative"),
    Column("terms"),
    Column("test: decoder", group=True),
    Column("derivative"),
    Column("time", group=True),
)


def terms_of(study: StoredStudy[AutoencodersSpec]) -> Terms:
    """Return the words for the searches of this kind, and the errors of every trial of the study."""
    cells = {trial_of(cell).number: cell for cell in study.cells}

    def entries(trial: Tried) -> Sequence[str]:
        cell = cells[trial.number]
        time = duration(study.seconds[cell.slug]) if cell.slug in study.seconds else DASH
        if not cell.facts["members"]:
            return *(DASH,) * 5, time
        best = first(cell)
        held_out, test = (
            [error_text(best["errors"][part][name]) for name in ("decoder", "derivative")]
            for part in ("held_out", "test")
        )
        return *held_out, str(best["terms"]), *test, time

    return Terms("trial", "objective", HOW, columns=COLUMNS, entries=entries)
