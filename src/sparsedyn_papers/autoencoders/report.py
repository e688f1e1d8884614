"""What the report of a study of SINDy autoencoders says and shows."""

from collections.abc import Iterator, Sequence

from sparsedyn.forecast.metrics import VALID_BELOW
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document import Document, Section, plain
from sparsedyn.studies.document.frame import framed
from sparsedyn.studies.document.words import plural
from sparsedyn.studies.search.page import search_blocks, search_sentences
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.autoencoders.grid_report import grid_pictures, grid_sentences, grid_table
from sparsedyn_papers.autoencoders.pictures import cell_pictures, forecast_errors
from sparsedyn_papers.autoencoders.ranking import error_text, first, loss
from sparsedyn_papers.autoencoders.search import search_record, trial_of
from sparsedyn_papers.autoencoders.searched import MEANINGS as SEARCHED
from sparsedyn_papers.autoencoders.searched import terms_of
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.autoencoders.tables import (
    attractor_tables,
    equations_table,
    members_table,
    parameters_text,
    results_table,
)
from sparsedyn_papers.champion2019.systems import TRUTHS
from sparsedyn_papers.champion2019.truth import Truth

MEANINGS = {
    "decoder, derivative, latent": "Sums of squared errors relative to the sum of squares: of the measurements as "
    "reconstructed, of their highest time derivative as the equation and the decoder give it, and of the equation in "
    "the latent variables. On test data, which are clean.",
    "beyond": "The same for trajectories that start in a wider box than any that was trained on.",
    "terms": "Coefficients that are not zero, in the affine coordinates in which the equations read best.",
    "right": "The equation is the true one up to an affine change of its variables, with the terms of the truth alone.",
    "first": "Members are ranked by held-out errors and terms, without the truth; the first one is what "
    "a user would take.",
    "valid time": "Time until the relative error of a forecast from a new initial state first exceeds "
    f"{VALID_BELOW}, mean over test trajectories.",
    "1 − R²": "What an affine map of the latent variables leaves unexplained of the true coordinates, the worst one.",
    "Lyapunov exponent": "The mean rate at which a small deviation grows along a long path.",
}


def document(study: StoredStudy[AutoencodersSpec]) -> Document:
    """Return the report."""
    spec, cells, seconds = study.spec, study.cells, study.seconds
    truth = TRUTHS[spec.data.system]
    if spec.search is not None:
        return _search(study, truth)
    size = _size(plural(len(cells), "configuration"), cells[0])
    chosen = shown(spec, cells)
    if _is_grid(spec):
        sections = [
            Section("results", "The best configurations", [grid_table(spec, cells, seconds)]),
            Section("grid", "All configurations", grid_pictures(spec, cells)),
            *_of_the_best(truth, chosen, "configuration"),
        ]
        return framed(study, sections, size=size, answer=grid_sentences(spec, cells), meanings=MEANINGS)
    drawn = [cell_pictures(cell, str(cell.facts["label"]) if len(cells) > 1 else "", truth) for cell in cells]
    coefficients, latent, forecasts, training = (
        [p for part in parts for p in part] for parts in zip(*drawn, strict=True)
    )
    sections = [
        Section("results", "Results", [results_table(spec, cells, seconds)]),
        Section("equations", "The equations", [equations_table(truth, cells)]),
        Section("members", "All members", [members_table(cells)]),
        Section("coefficients", "Coefficients", coefficients),
        Section("latent", "Latent variables and truth", latent),
        Section(
            "forecasts",
            "Forecasts from new initial states",
            [*attractor_tables(cells), *forecasts, forecast_errors(cells)],
        ),
        Section("training", "Training", training),
    ]
    return framed(study, sections, size=size, answer=list(_answer(spec, truth, cells)), meanings=MEANINGS)


def shown(spec: AutoencodersSpec, cells: Sequence[StoredCell]) -> list[StoredCell]:
    """Return the cells of which there are pictures: of a grid and of a search the best one."""
    if spec.search is not None:
        best = search_record(spec, cells).best
        return [cell for cell in cells if best is not None and trial_of(cell).number == best.number]
    return [min(cells, key=loss)] if _is_grid(spec) else list(cells)


def _is_grid(spec: AutoencodersSpec) -> bool:
    return any(len(values) > 1 for values in spec.axes().values())


def _search(study: StoredStudy[AutoencodersSpec], truth: Truth) -> Document:
    """Return the report on a search."""
    spec, cells = study.spec, study.cells
    chosen, record, terms = shown(spec, cells), search_record(spec, cells), terms_of(study)
    sections = [Section("search", "The search", search_blocks(record, terms)), *_of_the_best(truth, chosen, "trial")]
    count = plural(len(cells), "trial")
    size = _size(count, chosen[0]) if chosen else f"{count}."
    sentences = search_sentences(record, terms)
    return framed(study, sections, size=size, answer=sentences, meanings=SEARCHED | MEANINGS)


def _size(count: str, cell: StoredCell) -> str:
    facts = cell.facts
    reduced = "" if facts["modes"] == facts["dimension"] else f", reduced to {plural(facts['modes'], 'mode')}"
    return (
        f"{count}, {plural(len(facts['members']), 'network')} of each, {plural(facts['trajectories'], 'trajectory')} "
        f"of {facts['rows']:,} rows and {facts['dimension']:,} measured variables{reduced}."
    )


def _of_the_best(truth: Truth, chosen: Sequence[StoredCell], noun: str) -> list[Section]:
    if not chosen:
        return []
    coefficients, latent, forecasts, training = cell_pictures(chosen[0], "", truth)
    return [
        Section("equations", f"The equations of the best {noun}", [equations_table(truth, chosen)]),
        Section("coefficients", f"Coefficients of the best {noun}", coefficients),
        Section("latent", "Latent variables and truth", latent),
        Section("forecasts", "Forecasts", forecasts),
        Section("training", "Training", training),
    ]


def _answer(spec: AutoencodersSpec, truth: Truth, cells: Sequence[StoredCell]) -> Iterator[str]:
    for cell in cells:
        members, best = cell.facts["members"], first(cell)
        right = sum(member["right"] for member in members)
        what = f"{plain(str(cell.facts['label']))}: " if len(cells) > 1 else ""
        errors = best["errors"]["test"]
        yield (
            f"{what}**{right} of {len(members)}** networks find {plain(truth.what)}, and the first of the ranking, "
            f"which is made without the truth, is {'one' if best['right'] else 'none'} of them. Its errors are "
            f"{error_text(errors['decoder'])} (reconstruction), {error_text(errors['derivative'])} (derivative) and "
            f"{error_text(errors['latent'])} (latent equation)."
        )
        if best["right"]:
            yield f"Its parameters: {parameters_text(best, truth)}."
    reported = TRUTHS[spec.data.system].reported
    if reported:
        decoder, derivative, latent = map(error_text, reported[0].errors)
        yield f"Champion et al. 2019 report {decoder}, {derivative} and {latent} for a network chosen from many."
