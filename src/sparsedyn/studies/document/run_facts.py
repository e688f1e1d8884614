"""How a study was run, from its run record (run.json): in a sentence, in full, and part by part."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from sparsedyn.studies.document.text import plain
from sparsedyn.studies.document.words import duration, listing

APART = ("name", "data", "groups", "cells", "seconds", "runs", "report", "made")
"""Keys of the record that are shown in their own way, or elsewhere."""
PROPER = {"python": "Python"}


def machine(run: Mapping[str, Any]) -> str:
    """Say how long a study took, on what and with which versions (Markdown)."""
    sentences = []
    seconds = run.get("seconds")
    if isinstance(seconds, int | float) and math.isfinite(seconds):
        device = f" on {run['device']}" if run.get("device") else ""
        parts = f" of {run['parts']} parts together" if run.get("parts") else ""
        sentences.append(f"Wall time{parts} {duration(float(seconds))}{device}.")
    if run.get("versions"):
        listed = ", ".join(f"{PROPER.get(name, name)} {version}" for name, version in run["versions"].items())
        sentences.append(f"With {listed}.")
    return plain(" ".join(sentences))


def facts(run: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts of the record about the whole run, in words (plain text)."""
    return {_words(key): text for key, value in _facts(run) if (text := _text(value))}


def wall_times(run: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds that each part of a comparison took, in order."""
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
    for part, known in run.get("data", {}).items():
        if part != "seconds":
            yield f"{part} data" if isinstance(known, Mapping) else part, known
    if isinstance(run.get("seconds"), int | float):
        runs = int(run.get("runs", 1))
        yield "wall time", duration(float(run["seconds"])) + (f" in {runs} runs" if runs > 1 else "")


def _clock_time(value: object) -> str:
    """Write "2026-01-31T12:00:00+00:00" as "2026-01-31 12:00 UTC"."""
    text = str(value or "")
    return f"{text[:10]} {text[11:16]} UTC" if text.endswith("+00:00") else text


def _words(key: object) -> str:
    return str(key).replace("_", " ")


def _text(value: object) -> str:
    """Write a value on one line; tables as "key value" pairs, deeper ones in brackets."""
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
