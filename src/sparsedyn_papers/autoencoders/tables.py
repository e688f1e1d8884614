"""The tables of a study of SINDy autoencoders: configurations, equations, members, long paths."""

from collections.abc import Mapping, Sequence
from typing import Any

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document import Column, Table, code, plain
from sparsedyn.studies.document.words import DASH, duration, quantity
from sparsedyn_papers.autoencoders.ranking import error_text, first, or_nan
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.champion2019.systems import TRUTHS
from sparsedyn_papers.champion2019.truth import Reported, Truth

ERRORS = ("decoder", "derivative", "latent")
"""The errors of a member, in the order of the tables."""


def results_table(spec: AutoencodersSpec, cells: Sequence[StoredCell], seconds: Mapping[str, float]) -> Table:
    """Return the first member of every cell's ranking, above what was published."""
    beyond = any("beyond" in first(cell)["errors"] for cell in cells)
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
        members, best = cell.facts["members"], first(cell)
        rows.append(
            [
                plain(str(cell.facts["label"])),
                f"{sum(member['right'] for member in members)} of {len(members)}",
                "right" if best["right"] else "wrong",
                str(best["canonical_terms"]),
                *(error_text(best["errors"]["test"][name]) for name in ERRORS),
                *(error_text(best["errors"].get("beyond", {}).get(name)) for name in ERRORS if beyond),
                error_text(_gap(best)),
                quantity(or_nan(best["valid_time"]["test"])),
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
        *(error_text(value) for value in row.errors),
        *(error_text(value) for value in (row.beyond or (None,) * 3) if beyond),
        DASH,
        DASH,
        DASH,
    ]


def equations_table(truth: Truth, cells: Sequence[StoredCell]) -> Table:
    """Return the true equations and those of the first members."""
    columns = [Column("", text=True), Column("equations", text=True), Column("parameters", text=True)]
    rows = [["true", code("; ".join(truth.equations)), plain(truth.parameters_text(cells[0].facts))]]
    for cell in cells:
        best = first(cell)
        name = plain(f"{cell.facts['label']}, first of the ranking")
        rows.append([name, code("; ".join(best["canonical"])), parameters_text(best, truth) if best["right"] else DASH])
    return Table(columns, rows)


def members_table(cells: Sequence[StoredCell]) -> Table:
    """Return all members in the order of their ranking."""
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
                    *(error_text(member["errors"]["test"][name]) for name in ERRORS),
                    error_text(_gap(member)),
                    quantity(or_nan(member["valid_time"]["test"])),
                    plain(numbers) if member["right"] else code("; ".join(member["canonical"])),
                ]
            )
    return Table(columns, rows)


def attractor_tables(cells: Sequence[StoredCell]) -> list[Table]:
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
        [plain(f"{cell.facts['label']}, first of the ranking"), *_statistics(first(cell)["attractor"])]
        for cell in cells
    ]
    return [Table(columns, rows)]


def _statistics(found: Mapping[str, Any]) -> list[str]:
    values = [*found["mean"], *found["std"], found["lyapunov"]]
    return [DASH if value is None else f"{value:.3f}".replace("-", "−") for value in values]


def parameters_text(member: Mapping[str, Any], truth: Truth) -> str:
    """Write the parameters of a right equation."""
    return plain(", ".join(f"{truth.symbol(name)} = {value:.4g}" for name, value in member["parameters"].items()))


def _gap(member: Mapping[str, Any]) -> float:
    return max(1 - or_nan(value) for value in member["r2"])
