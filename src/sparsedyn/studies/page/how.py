"""How a study was run and what its numbers mean: the parts of the page that are not results."""

import json
import math
import tomllib
from collections.abc import Mapping
from html import escape
from typing import Any

from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.write import definitions, fold

# What these keys of run.json hold is shown elsewhere, or too long for a list.
TIMES = ("groups", "cells", "seconds", "wall_times", "wall_time", "times")

METRICS = (
    ("forecast", "From the first row of a test trajectory on, the model steps forward on its own predictions, under the recorded inputs. Every member forecasts every test trajectory."),
    ("horizon", "How many rows of the trajectory a score covers, the initial one included."),
    ("error", "Distance between forecast and truth in a state, divided by that state's standard deviation in the training data."),
    ("RFMSE", "Rolling-forecast error: the mean error over time up to the horizon and over the states; mean over the forecasts that did not diverge. The absolute reading averages the error, the squared reading its square."),
    ("diverged", "Share of forecasts in which the RFMSE of any single state exceeds 3, or is not a number."),
    ("95 % interval", "From 2,000 bootstrap resamples of members and of trajectories, both with replacement. Where none or all forecasts diverged: the exact binomial bound."),
    ("nonzero weights", "Weights (not biases) of one network that are not exactly zero; mean over members."),
    ("sparsity", "Share of weights that are exactly zero. Near zero: smaller in size than a stated threshold. Pruned by a mask: switched off by the technique."),
    ("average", "SWA: mean of the weights over the last part of training, at a raised constant learning rate. EMA: exponentially weighted mean. A dash: the weights as trained."),
)  # fmt: skip


def study_facts(contents: Contents) -> tuple[str, str]:
    """Return the title of the study and one line on its size (plain text)."""
    spec = _parsed(contents.spec)
    name = str(spec.get("name") or contents.run.get("name") or contents.directory.resolve().name)
    first, cells = contents.results.iloc[0], len(contents.looks)
    members, trajectories = int(first["members"]), int(first["forecasts"]) // max(int(first["members"]), 1)
    facts = [
        f"{cells} configuration{'s' * (cells > 1)}",
        f"{members} network{'s' * (members > 1)} of each",
        f"{trajectories} test trajector{'ies' if trajectories > 1 else 'y'}",
        f"forecasts of up to {contents.clock.horizon(contents.horizons[-1])}",
    ]
    about = str(spec.get("description") or "").strip()
    return str(spec.get("title") or name), f"{about} {', '.join(facts)}.".strip()


def how_it_was_run(contents: Contents) -> str:
    """Return command, seed, versions, device and data facts as far as run.json has them, and the spec to unfold."""
    facts = {key: value for key, value in contents.run.items() if key not in TIMES}
    command = facts.pop("command", None)
    body = f"<pre><code>{escape(_command(command))}</code></pre>" if command else ""
    body += definitions((_words(key), _text(value)) for key, value in facts.items() if _text(value))
    if contents.spec:
        body += fold("The study as TOML", f'<pre class="wide"><code>{escape(contents.spec)}</code></pre>')
    return body


def notes(contents: Contents) -> str:
    """Return what a reader of the table must know: lost members, redrawn trajectories, too few to judge (HTML)."""
    found = [_lost_members(contents), _redrawn(contents), _too_few(contents)]
    items = "".join(f"<li>{escape(note)}</li>" for note in found if note)
    return f'<ul class="notes">{items}</ul>' if items else ""


def metrics() -> str:
    """Return one line of definition per metric."""
    return definitions(METRICS)


def wall_times(run: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, float]:
    """Return seconds per group of cells, named by the labels of its cells, as far as run.json has them."""
    groups = run.get("groups", {})
    entries = groups.items() if isinstance(groups, Mapping) else enumerate(groups, start=1)
    found: dict[str, float] = {}
    for key, entry in entries:
        seconds = entry.get("seconds") if isinstance(entry, Mapping) else entry
        if isinstance(seconds, int | float) and math.isfinite(seconds):
            cells = entry.get("cells", []) if isinstance(entry, Mapping) else []
            found[", ".join(labels.get(str(c), str(c)) for c in cells) or str(key)] = float(seconds)
    return found


def _parsed(spec: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(spec)
    except tomllib.TOMLDecodeError:
        return {}


def _lost_members(contents: Contents) -> str:
    lost = []
    for key, cell in contents.cells.items():
        alive = cell.alive()
        if not alive.all():
            lost.append(f"{contents.looks[key].label} ({int((~alive).sum())} of {alive.size})")
    if not lost:
        return ""
    return (
        f"Members that became non-finite in training; their forecasts count as diverged: {', '.join(lost)}."
    )


def _redrawn(contents: Contents) -> str:
    attrs = contents.test.attrs if contents.test is not None else {}
    data = contents.run.get("data")
    redrawn = data.get("redrawn", attrs.get("redrawn")) if isinstance(data, Mapping) else attrs.get("redrawn")
    if isinstance(redrawn, Mapping):
        redrawn = sum(int(count) for count in redrawn.values())
    if not redrawn:
        return ""
    return f"Trajectories that blew up in the simulation of the plant and were drawn again: {redrawn}."


def _too_few(contents: Contents) -> str:
    first = contents.results.iloc[0]
    members = int(first["members"])
    trajectories = int(first["forecasts"]) // max(members, 1)
    few = [
        f"{name} ({count})"
        for name, count in (("members", members), ("test trajectories", trajectories))
        if count < 3
    ]
    if not few:
        return ""
    return f"There are very few {' and '.join(few)}: intervals over so few are too narrow, and no ranking should rest on them."


def _command(command: object) -> str:
    return " ".join(str(part) for part in command) if isinstance(command, list) else str(command)


def _words(key: object) -> str:
    return str(key).replace("_", " ")


def _text(value: object) -> str:
    """Write a value of run.json on one line; tables as "key value" pairs, deeper ones in brackets."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(k)} {_nested(v)}" for k, v in value.items() if _nested(v))
    if isinstance(value, list):
        return ", ".join(_nested(v) for v in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value) if isinstance(value, str | int) else json.dumps(value)


def _nested(value: object) -> str:
    text = _text(value)
    return f"({text})" if isinstance(value, Mapping | list) and text else text
