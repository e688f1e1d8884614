"""A fitted model as one page that runs it: sliders, drawn inputs, recorded trajectories beside forecasts."""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from sparsedyn._version import __version__
from sparsedyn.data import DataError, Trajectories
from sparsedyn.estimators import EquationLearner, SINDy, SparseStateSpace, SparseTimeStepper
from sparsedyn.estimators._checks import check_regular
from sparsedyn.export import javascript
from sparsedyn.export.lowering import program
from sparsedyn.export.whatif.facts import facts_of

ROOM = "sparsedyn.export.whatif"
SCRIPTS = ("dom", "numbers", "simulate", "profile", "chart", "dial", "input", "readout", "csv", "page")
"""Files of the page's script, in their order; they share one scope."""
KINDS = (SparseTimeStepper, EquationLearner, SINDy, SparseStateSpace)


def explore(model: Any, data: Any, *, title: str | None = None, check_units: bool = True) -> str:
    """Return one HTML page on which a fitted model runs under inputs and from states that its reader chooses.

    The page needs nothing else and no network: the model is in it as JavaScript (`to_javascript`, every member that is
    alive), in double precision, with the recorded trajectories `data` to begin from and to compare with. It shows the
    median over members, the range of all, calibrated bands where the model has them (`calibrate`), where the forecast
    is far from the training data, and equations.

    `data` are trajectories as for `forecast`, at the sample time of training; values that look like another unit raise
    `DataError` unless `check_units` is off. `title` stands at the top.

    **Raises:** `TypeError` for anything but a model of dynamics; `ValueError` for models that cannot be exported, as
    those with a known part that is a Python function; `DataError` for data that do not fit the model.
    """
    if not isinstance(model, KINDS):
        raise TypeError(
            f"model: expected a fitted model of dynamics, one of {', '.join(kind.__name__ for kind in KINDS)}; got "
            f"{type(model).__name__}, which says nothing of the next row."
        )
    model._check_fitted()
    known = _recorded(model, data, check_units=check_units)
    programs = [program(model, member) for member in _members(model)]
    facts = facts_of(model, programs[0], known)
    members = [javascript.written(one, f"member{i}") for i, one in enumerate(programs)]
    names = ", ".join(f"member{i}" for i in range(len(members)))
    script = "\n".join(
        [
            "(() => {",
            '"use strict";',
            *members,
            f"const members = [{names}];",
            *map(_source, map("{}.js".format, SCRIPTS)),
            "})();",
        ]
    )
    style = _source("page.css")
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title or type(model).__name__,
            summary=_summary(model, known),
            notes=_notes(model, programs[0].notes, facts),
            facts=Markup(inert(facts)),
            statements=[Markup(one.mathml()) for one in model.statements()] if hasattr(model, "statements") else [],
            style=Markup(style),
            script=Markup(script),
            hashes={"style": _hash(style), "script": _hash(script)},
            version=__version__,
        )
    )


def inert(value: Any) -> str:
    """Return JSON that stays text inside a script element, in ASCII."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _members(model: Any) -> list[int | None]:
    """The members that are alive, as `program` numbers them; `None` for a model that is one, or of which none lives."""
    return [int(i) for i in np.flatnonzero(model.alive_)] or [None] if isinstance(model, SparseTimeStepper) else [None]


def _recorded(model: Any, data: Any, *, check_units: bool) -> Trajectories:
    known: Trajectories = model._known(data, check_units=check_units)
    check_regular(known, "data")
    if not np.isclose(known.dt, model.dt_, rtol=1e-3):
        own = f"{model.dt_:g}"
        raise DataError(
            f"data: expected the sample time of training, {own} s, which the page steps by; got {known.dt:g} s. "
            f"Resample them: data.resample({own}), or resample={own} (--resample {own}) when reading."
        )
    return known


def _summary(model: Any, data: Trajectories) -> str:
    """A line on what is on the page."""
    parts = [type(model).__name__]
    if isinstance(model, SparseTimeStepper):
        alive = int(model.alive_.sum())
        parts.append(f"{alive} member{'s' if alive > 1 else ''}")
    if hasattr(model, "weights_"):
        parts.append(f"{float(np.mean(model.nonzeros_)):,.0f} of {model.weights_:,} weights")
    parts.append(f"{len(data)} recorded trajector{'y' if len(data) == 1 else 'ies'}, a row every {data.dt:g} s")
    return " · ".join(parts)


def _notes(model: Any, notes: tuple[str, ...], facts: dict[str, Any]) -> list[str]:
    """What is to be known before a curve is believed."""
    held = "The input of a row is held until the next. Beyond the end of a record, inputs keep their last values."
    found = [
        *([held] if facts["inputs"] else []),
        f"A value counts as outside the training domain where it is {facts['domain']}. Combinations of values that "
        "were never seen together are not noticed.",
    ]
    if facts["calibration"] is not None:
        found.append(
            f"The calibrated band holds {100 * facts['calibration']['coverage']:g} % of recorded values in runs like "
            f"those of calibration, up to row {facts['calibration']['edges'][-1]:,}. For inputs and starts unlike "
            "these it is no promise."
        )
    elif model.calibration_ is not None:
        found.append(
            f"There are no calibrated bands: they were calibrated with {int(model.calibration_.edges[0])} rows shown "
            f"before the forecast; here there are {facts['warm']}."
        )
    if facts["latent"]:
        found.append(
            f"Latent states begin where the first {facts['warm']} recorded rows show them to be; outputs follow from "
            "them and from inputs."
        )
    elif facts["warm"] > 1:
        found.append(
            f"The model looks back: the first {facts['warm']} rows are recorded ones. Another initial value shifts all "
            "of them."
        )
    return found + [note for note in notes if not note.startswith("States are")]


@cache
def _source(name: str) -> str:
    return files(ROOM).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content security policy knows an element by: nothing else on the page can run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader(ROOM, "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
