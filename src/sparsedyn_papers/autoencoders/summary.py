"""A study of SINDy autoencoders in a few lines: its cells or trials, and what came of them."""

import math

import pandas as pd

from sparsedyn.studies.document.words import plural, quantity
from sparsedyn.studies.search.space import axis_text
from sparsedyn.studies.store import Store
from sparsedyn.studies.summary import Listing, Overview, Summary, listed_cells
from sparsedyn_papers.autoencoders.cells import cells_of
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec

READABLE = 15
"""Terms up to which equations are written out in a table."""
COLUMNS = ("cell", "right", "first", "terms", "decoder", "derivative", "latent", "equations")
TRIAL_COLUMNS = {
    "objective": "objective",
    "terms": "terms",
    "held out: decoder": "decoder_held_out",
    "derivative": "derivative_held_out",
    "test: decoder": "decoder_test",
}
"""What is shown of a trial, by heading."""


def overview(spec: AutoencodersSpec) -> Overview:
    """Return the cells, or what the trials of a search try."""
    cells, tried = cells_of(spec), spec.dimensions()
    listed = listed_cells(cells)
    if not tried:
        return listed
    lines = [f"{key}: {axis_text(dimension)}" for key, dimension in tried.items()]
    return Overview(f"{plural(len(cells), 'trial')}, one after the other, with values of", lines, listed.facts)


def summary(spec: AutoencodersSpec, store: Store, results: pd.DataFrame) -> Summary:
    """Return the first member of every cell's ranking, or all trials of a search, the best first."""
    return _trials(results) if spec.search is not None else _cells(results)


def _cells(results: pd.DataFrame) -> Summary:
    records = results.to_dict(orient="records")
    right = results.groupby("cell")["right"].sum()
    members = results.groupby("cell").size()
    rows = [
        (
            row["cell"],
            f"{right[row['cell']]} of {members[row['cell']]}",
            "right" if row["right"] else "wrong",
            str(row["canonical_terms"]),
            *(quantity(row[f"{name}_test"]) for name in ("decoder", "derivative", "latent")),
            row["equations"] if row["canonical_terms"] <= READABLE else f"{row['canonical_terms']} terms",
        )
        for row in records
        if row["rank"] == 1
    ]
    return Summary([Listing(COLUMNS, rows)], records)


def _trials(results: pd.DataFrame) -> Summary:
    records = results.sort_values(["state", "objective"], kind="stable").to_dict(orient="records")
    rows = [
        (row["cell"], row["state"], *(quantity(row.get(name, math.nan)) for name in TRIAL_COLUMNS.values()))
        for row in records
    ]
    return Summary([Listing(("trial", "state", *TRIAL_COLUMNS), rows)], records)
