"""How a study was run: its size, its command and machine, its data, and what a reader must bear in mind."""

import json
import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.write import definitions, duration, fold, listing, plural

# These keys of run.json are shown in their own way, or elsewhere.
APART = ("name", "command", "data", "groups", "cells", "seconds", "runs", "report")


def study_facts(contents: Contents) -> tuple[str, str, str]:
    """Return the title of the study, its description, and one line on its size (plain text)."""
    spec = contents.spec_table
    name = str(spec.get("name") or contents.run.get("name") or contents.directory.resolve().name)
    members, trajectories = contents.ensemble()
    size = (
        f"{plural(len(contents.looks), 'configuration')}, {plural(members, 'network')} of each, "
        f"{plural(trajectories, 'test trajectory')}, forecasts of up to "
        f"{contents.clock.horizon(contents.horizons[-1])}."
    )
    return str(spec.get("title") or name), str(spec.get("description") or "").strip(), size


def how_it_was_run(run: Mapping[str, Any], spec: str) -> str:
    """Return command, seed, versions, device and data as far as `run` (run.json) has them, and the spec to unfold."""
    body = f"<pre><code>{escape(str(run['command']))}</code></pre>" if run.get("command") else ""
    body += definitions([(_words(key), _text(value)) for key, value in _facts(run) if _text(value)])
    if spec:
        body += fold("The study as TOML", f'<pre class="wide"><code>{escape(spec)}</code></pre>')
    return body


def notes(contents: Contents) -> str:
    """Return what a reader of the table must know: lost members, redrawn trajectories, few to judge by (HTML)."""
    found = [_lost_members(contents), _redrawn(contents), _too_few(contents)]
    items = "".join(f"<li>{escape(note)}</li>" for note in found if note)
    return f'<ul class="notes">{items}</ul>' if items else ""


def wall_times(run: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds that each part of a study took, in order, as far as run.json has them."""
    found = {"trajectories": run.get("data", {}).get("seconds")}
    for key, group in run.get("groups", {}).items():
        cells = [str(cell) for cell in group.get("cells", [])]
        found[f"training: {listing(cells) if cells else key}"] = group.get("seconds")
    forecasts = [cell.get("forecast_seconds") for cell in run.get("cells", {}).values()]
    found["forecasts and scores"] = sum(s for s in forecasts if s is not None) if forecasts else None
    known = {name: float(s) for name, s in found.items() if isinstance(s, int | float) and math.isfinite(s)}
    return known if run.get("groups") else {}


def _facts(run: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for key, value in run.items():
        if key not in APART:
            yield key, _clock_time(value) if key in ("started", "finished") else value
    for part, facts in run.get("data", {}).items():
        if part != "seconds":
            yield f"{part} data" if isinstance(facts, Mapping) else part, facts
    if isinstance(run.get("seconds"), int | float):
        runs = int(run.get("runs", 1))
        yield "wall time", duration(float(run["seconds"])) + (f" in {runs} runs" if runs > 1 else "")


def _clock_time(value: object) -> str:
    """Write "2026-01-31T12:00:00+00:00" as "2026-01-31 12:00 UTC"."""
    text = str(value or "")
    return f"{text[:10]} {text[11:16]} UTC" if text.endswith("+00:00") else text


def _lost_members(contents: Contents) -> str:
    lost = []
    for key, cell in contents.cells.items():
        alive = cell.alive()
        if not alive.all():
            lost.append(f"{contents.looks[key].label} ({int((~alive).sum())} of {alive.size})")
    if not lost:
        return ""
    return f"Members that stopped in training because their loss was no longer a number: {', '.join(lost)}."


def _redrawn(contents: Contents) -> str:
    parts = [facts for facts in contents.run.get("data", {}).values() if isinstance(facts, Mapping)]
    redrawn = sum(int(facts.get("redrawn", 0)) for facts in parts)
    if not redrawn:
        return ""
    return f"{plural(redrawn, 'trajectory')} blew up when the plant was simulated and had to be drawn again."


def _too_few(contents: Contents) -> str:
    members, trajectories = contents.ensemble()
    few = [plural(count, name) for name, count in (("member", members), ("test trajectory", trajectories)) if count < 3]
    if not few:
        return ""
    return f"Intervals from {' and '.join(few)} are too narrow; no ranking should rest on them."


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
