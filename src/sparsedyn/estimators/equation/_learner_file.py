"""What a file of an equation learner holds."""

from typing import Any

import numpy as np

from sparsedyn.data import Scaling
from sparsedyn.equations import from_text, to_text
from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators._delays import Delays
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators._known import Known
from sparsedyn.estimators.equation._saving import (
    restored_equations,
    restored_fates,
    stored_equations,
    stored_fates,
    stored_parameters,
)
from sparsedyn.estimators.equation._settings import search_of
from sparsedyn.estimators.equation.trajectories._outcome import Constant
from sparsedyn.estimators.equation.trajectories._way import NETWORKS


def contents(learner: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return arrays, and everything else as JSON values."""
    names = learner._columns
    arrays, header = stored_equations(learner.candidates_, names)
    parameters = learner.get_params(deep=False) | {"time": learner.time_, "known": None}
    return arrays, {
        "parameters": stored_parameters(parameters),
        "known": learner.known_ and learner.known_.to_dict(),
        **header,
        "search": learner.search_,
        "constants": [list(constant) for constant in learner.constants_],
        "alternatives": [[[to_text(one, names) for one in exprs], score] for exprs, score in learner.alternatives_],
        "noise": None if learner.noise_ is None else np.asarray(learner.noise_).tolist(),
        "fates": stored_fates(learner.fates_, names),
        "scaling": learner.scaling_.to_dict(),
        "statistics": learner.statistics_.to_dict(),
        "variables": learner.variables_._asdict(),
        "delays": learner.delays_.to_dict(),
    }


def restored(kind: type[Any], stored: Stored) -> Any:
    """Return the learner that `contents` was taken of; what is newer than a file is missing there."""
    header = stored.header
    learner = kind(**header["parameters"])
    learner._check_rules("hidden", "method", "time")
    scaling, statistics = (Scaling.from_dict(header[name]) for name in ("scaling", "statistics"))
    equations = restored_equations(stored, search_of(learner).hidden)
    variables = Variables.restored(header["variables"])
    delays = Delays.from_dict(header.get("delays"))
    names = [*variables.state_names, *delays.names(variables.state_names, variables.input_names)]
    states = len(variables.state_names)
    scaling.check_sizes(states)
    statistics.check_sizes(states)
    if list(header["names"]) != names or len(equations) != states:
        raise ValueError(f"equations of {states} states in {names} expected; got {len(equations)} in {header['names']}")
    known = Known.from_dict(header.get("known"), names)
    learner.known = known and known.parameter
    learner.search_ = header.get("search", NETWORKS)
    learner.constants_ = [Constant(*row) for row in header.get("constants", ())]
    learner.alternatives_ = [
        (tuple(from_text(one, names) for one in texts), score) for texts, score in header.get("alternatives", ())
    ]
    noise = header.get("noise")
    learner.noise_ = None if noise is None else np.asarray(noise, float)
    learner.fates_ = restored_fates(stored, names)
    return learner._adopt(equations, scaling, statistics, variables, learner.time, delays, known)
