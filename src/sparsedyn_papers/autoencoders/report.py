"""What the report of a study of SINDy autoencoders says and shows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sparsedyn.forecast.metrics import VALID_BELOW
from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.document import Column, Document, Section, Table, code, plain
from sparsedyn.studies.document.frame import framed
from sparsedyn.studies.document.words import DASH, duration, plural, quantity
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.autoencoders.grid_report import grid_pictures, grid_sentences, grid_table, loss
from sparsedyn_papers.autoencoders.pictures import cell_pictures, forecast_errors
from sparsedyn_papers.autoencoders.search_report import MEANINGS as SEARCHED
from sparsedyn_papers.autoencoders.search_report import best_trial, trials_picture, trials_sentences, trials_table
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.champion2019.systems import TRUTHS
from sparsedyn_papers.champion2019.truth import Reported, Truth

ERRORS = ("decoder", "derivative", "latent")
"""The errors of a member, in the order of the tables."""
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
        Section("results", "Results", [_results(spec, cells, seconds)]),
        Section("equations", "The equations", [_equations(truth, cells)]),
        Section("members", "All members", [_members(cells)]),
        Section("coefficients", "Coefficients", coefficients),
        Section("latent", "Latent variables and truth", latent),
        Section(
            "forecasts", "Forecasts from new initial states", [*_attractors(cells), *forecasts, forecast_errors(cells)]
        ),
        Section("training", "Training", training),
    ]
    return framed(study, sections, size=size, answer=list(_answer(spec, truth, cells)), meanings=MEANINGS)


def shown(spec: AutoencodersSpec, cells: Sequence[Stored]) -> list[Stored]:
    """Return the cells of which there are pictures: of a grid and of a search the best one."""
    if spec.search is not None:
        best = best_trial(cells)
        return [] if best is None else [best]
    return [min(cells, key=loss)] if _is_grid(spec) else list(cells)


def _is_grid(spec: AutoencodersSpec) -> bool:
    return any(len(values) > 1 for values in spec.axes().values())


def _search(study: StoredStudy[AutoencodersSpec], truth: Truth) -> Document:
    """Return the report on a search."""
    spec, cells = study.spec, study.cells
    chosen = shown(spec, cells)
    sections = [
        Section("results", "All trials, the best first", [trials_table(spec, cells, study.seconds)]),
        Section("trials", "What was tried", [trials_picture(spec, cells)]),
        *_of_the_best(truth, chosen, "trial"),
    ]
    count = plural(len(cells), "trial")
    size = _size(count, chosen[0]) if chosen else f"{count}."
    sentences = trials_sentences(spec, cells)
    return framed(study, sections, size=size, answer=sentences, meanings=SEARCHED | MEANINGS)


def _size(count: str, cell: Stored) -> str:
    facts = cell.facts
    reduced = "" if facts["modes"] == facts["dimension"] else f", reduced to {plural(facts['modes'], 'mode')}"
    return (
        f"{count}, {plural(len(facts['members']), 'network')} of each, {plural(facts['trajectories'], 'trajectory')} "
        f"of {facts['rows']:,} rows and {facts['dimension']:,} measured variables{reduced}."
    )


def _of_the_best(truth: Truth, chosen: Sequence[Stored], noun: str) -> list[Section]:
    if not chosen:
        return []
    coefficients, latent, forecasts, training = cell_pictures(chosen[0], "", truth)
    return [
        Section("equations", f"The equations of the best {noun}", [_equations(truth, chosen)]),
        Section("coefficients", f"Coefficients of the best {noun}", coefficients),
        Section("latent", "Latent variables and truth", latent),
        Section("forecasts", "Forecasts", forecasts),
        Section("training", "Training", training),
    ]


def _answer(spec: AutoencodersSpec, truth: Truth, cells: Sequence[Stored]) -> Iterator[str]:
    for cell in cells:
        members, best = cell.facts["members"], _first(cell)
        right = sum(member["right"] for member in members)
        what = f"{plain(str(cell.facts['label']))}: " if len(cells) > 1 else ""
        errors = best["errors"]["test"]
        yield (
            f"{what}**{right} of {len(members)}** networks find {plain(truth.what)}, and the first of the ranking, "
            f"which is made without the truth, is {'one' if best['right'] else 'none'} of them. Its errors are "
            f"{_error(errors['decoder'])} (reconstruction), {_error(errors['derivative'])} (derivative) and "
            f"{_error(errors['latent'])} (latent equation)."
        )
        if best["right"]:
            yield f"Its parameters: {_parameters(best, truth)}."
    reported = TRUTHS[spec.data.system].reported
    if reported:
        row = reported[0]
        yield (
            f"Champion et al. 2019 report {_error(row.errors[0])}, {_error(row.errors[1])} and {_error(row.errors[2])} "
            "for a network chosen from many."
        )


def _results(spec: AutoencodersSpec, cells: Sequence[Stored], seconds: Mapping[str, float]) -> Table:
    beyond = any("beyond" in _first(cell)["errors"] for cell in cells)
    columns = [
        Column("", text=True),
        Column("right", group=True),
        Column("first", text=True),
        Column("terms"),
        *(Column(name, group=name == "decoder") for name in ERRORS),
        *(
            Column(f"beyond: {name}" if name == "decoder" else name, group=name == "decoder")
            for name in ERRORS
            if beyond
        ),
        Column("1 − R²", group=True),
        Column("valid time"),
        Column("time"),
    ]
    rows = []
    for cell in cells:
        members, best = cell.facts["members"], _first(cell)
        rows.append(
            [
                plain(str(cell.facts["label"])),
                f"{sum(member['right'] for member in members)} of {len(members)}",
                "right" if best["right"] else "wrong",
                str(best["canonical_terms"]),
                *(_error(best["errors"]["test"][name]) for name in ERRORS),
                *(_error(best["errors"].get("beyond", {}).get(name)) for name in ERRORS if beyond),
                _error(_gap(best)),
                quantity(_finite(best["valid_time"]["test"])),
                duration(seconds[cell.slug]) if cell.slug in seconds else DASH,
            ]
        )
    for row in TRUTHS[spec.data.system].reported:
        rows.append(_reported(row, beyond))
    return Table(columns, rows)


def _reported(row: Reported, beyond: bool) -> list[str]:
    return [
        plain(row.source),
        DASH,
        DASH,
        DASH if row.terms is None else str(row.terms),
        *(_error(value) for value in row.errors),
        *(_error(value) for value in (row.beyond or (None,) * 3) if beyond),
        DASH,
        DASH,
        DASH,
    ]


def _equations(truth: Truth, cells: Sequence[Stored]) -> Table:
    columns = [Column("", text=True), Column("equations", text=True), Column("parameters", text=True)]
    rows = [["true", code("; ".join(truth.equations)), plain(truth.parameters_text(cells[0].facts))]]
    for cell in cells:
        best = _first(cell)
        name = plain(f"{cell.facts['label']}, first of the ranking")
        rows.append([name, code("; ".join(best["canonical"])), _parameters(best, truth) if best["right"] else DASH])
    return Table(columns, rows)


def _members(cells: Sequence[Stored]) -> Table:
    columns = [
        Column("", text=True),
        Column("rank", group=True),
        Column("right", text=True),
        Column("terms"),
        *(Column(name, group=name == "decoder") for name in ERRORS),
        Column("1 − R²", group=True),
        Column("valid time"),
        Column("parameters, or equations where they are wrong", text=True, group=True),
    ]
    rows = []
    for cell in cells:
        for member in sorted(cell.facts["members"], key=lambda row: row["rank"]):
            numbers = ", ".join(f"{name} {value:.4g}" for name, value in member["parameters"].items())
            rows.append(
                [
                    plain(f"{cell.facts['label']}, {member['member']}"),
                    str(member["rank"]),
                    "yes" if member["right"] else "no",
                    str(member["canonical_terms"]),
                    *(_error(member["errors"]["test"][name]) for name in ERRORS),
                    _error(_gap(member)),
                    quantity(_finite(member["valid_time"]["test"])),
                    plain(numbers) if member["right"] else code("; ".join(member["canonical"])),
                ]
            )
    return Table(columns, rows)


def _attractors(cells: Sequence[Stored]) -> list[Table]:
    """Compare long paths of equations with the true ones, where they were followed."""
    if not all("attractor" in cell.facts for cell in cells):
        return []
    columns = [
        Column("", text=True),
        *(Column(f"mean {name}", group=name == "x") for name in "xyz"),
        *(Column(f"sd {name}", group=name == "x") for name in "xyz"),
        Column("Lyapunov exponent", group=True),
    ]
    rows = [["true", *_statistics(cells[0].facts["attractor"])]]
    rows += [
        [plain(f"{cell.facts['label']}, first of the ranking"), *_statistics(_first(cell)["attractor"])]
        for cell in cells
    ]
    return [Table(columns, rows)]


def _statistics(found: Mapping[str, Any]) -> list[str]:
    values = [*found["mean"], *found["std"], found["lyapunov"]]
    return [DASH if value is None else f"{value:.3f}".replace("-", "−") for value in values]


def _parameters(member: Mapping[str, Any], truth: Truth) -> str:
    return plain(", ".join(f"{truth.symbol(name)} = {value:.4g}" for name, value in member["parameters"].items()))


def _first(cell: Stored) -> Mapping[str, Any]:
    member: Mapping[str, Any] = cell.facts["members"][cell.facts["best"]]
    return member


def _gap(member: Mapping[str, Any]) -> float:
    return max(1 - _finite(value) for value in member["r2"])


def _finite(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _error(value: float | None) -> str:
    """Write a relative error with two digits."""
    if value is None or not math.isfinite(value):
        return DASH
    return quantity(value) if value >= 0.1 else f"{value:.1e}".replace("e-0", "e−").replace("e-", "e−")
