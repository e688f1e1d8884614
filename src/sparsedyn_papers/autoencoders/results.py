"""The table over all members of all cells of a study of SINDy autoencoders."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.search.wording import value_text
from sparsedyn_papers.autoencoders.search import trial_of
from sparsedyn_papers.autoencoders.spec import WORDING, AutoencodersSpec


def results_of(spec: AutoencodersSpec, cells: Sequence[StoredCell]) -> pd.DataFrame:
    """Return the table over some cells: a row for every member, or of a search one for every trial."""
    if spec.search is not None:
        return pd.DataFrame([trial_row(spec, cell) for cell in cells])
    return pd.DataFrame([row for cell in cells for row in rows(cell.facts)])


def rows(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the members of a cell, in their order."""
    common = {
        "cell": facts["label"],
        "system": facts["system"],
        "noise": facts["noise"],
        "seed": facts["seed"],
        "recipe": facts["recipe"],
        **{WORDING.title(key): value_text(value) for key, value in facts["values"].items()},
    }
    return [common | _row(facts, member) for member in facts["members"]]


def trial_row(spec: AutoencodersSpec, cell: StoredCell) -> dict[str, Any]:
    """Return a trial: its values, what became of it, and the first member of its ranking if it has one."""
    assert spec.search is not None
    trial, facts = trial_of(cell), cell.facts
    reached = [*trial.rungs, *(np.nan,) * (len(spec.search.rungs) - len(trial.rungs))]
    row = {
        "trial": int(cell.slug.rpartition("-")[2]),
        "cell": facts["label"],
        "system": facts["system"],
        "noise": facts["noise"],
        "seed": facts["seed"],
        "recipe": facts["recipe"],
        **{key: value_text(value) if isinstance(value, list | tuple) else value for key, value in trial.values.items()},
        "state": trial.state,
        "objective": trial.objective if trial.state == "complete" else np.nan,
        **{f"rung_{number}": error for number, error in enumerate(reached, 1)},
    }
    return row | (_row(facts, facts["members"][facts["best"]]) if facts["members"] else {})


def _row(facts: Mapping[str, Any], member: Mapping[str, Any]) -> dict[str, Any]:
    errors = {
        f"{name}_{part}": _number(value)
        for part in ("held_out", "test", "beyond")
        for name, value in member["errors"].get(part, dict.fromkeys(("decoder", "derivative", "latent"))).items()
    }
    return {
        "member": member["member"],
        "rank": member["rank"],
        "alive": member["alive"],
        "bounded": member["bounded"],
        "terms": member["terms"],
        "canonical_terms": member["canonical_terms"],
        "right": member["right"],
        "residual": _number(member["residual"]),
        **errors,
        "loss_decoder": _number(member["errors"]["test"]["decoder"]) * facts["mean_square"],
        "r2": min(_number(value) for value in member["r2"]),
        "valid_time": _number(member["valid_time"]["test"]),
        "valid_time_beyond": _number(member["valid_time"].get("beyond")),
        "lyapunov": _number(member.get("attractor", {}).get("lyapunov")),
        **{f"parameter_{name}": _number(value) for name, value in member["parameters"].items()},
        "equations": "; ".join(member["canonical"]),
    }


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
