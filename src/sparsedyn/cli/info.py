"""`sparsedyn info`: versions, devices, the names that other commands take, and the content of a model file."""

import importlib.metadata
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from sparsedyn.cli import options
from sparsedyn.cli.errors import guarded
from sparsedyn.cli.model_file import described
from sparsedyn.cli.output import number, show_json, show_pairs, show_text

File = Annotated[
    Path | None,
    typer.Argument(metavar="MODEL", help="A model file, whose content is shown instead.", show_default=False),
]


Verify = Annotated[
    bool, typer.Option("--verify", help="Say whether the model file is as it was written, by its checksum.")
]


@guarded
def info(model: File = None, verify: Verify = False, as_json: options.Json = False) -> None:
    """Show versions, devices, plants, techniques and studies; or the content of a model file.

    Include it when you report a problem. The environment variable SPARSEDYN_CPU_DEVICES sets the number of CPU
    devices that an ensemble is spread over; by default there is one per core.

    Examples:

    ```
    sparsedyn info
    sparsedyn info --json
    sparsedyn info model.safetensors
    sparsedyn info --verify model.safetensors
    ```
    """
    if verify and model is None:
        raise typer.BadParameter("expected a model file to verify; got none. Give one: sparsedyn info --verify MODEL")
    if model is not None:
        show_model(described(model) | (checksum(model) if verify else {}), as_json=as_json)
        return
    facts = everything()
    if as_json:
        show_json(facts)
        return
    show_pairs(facts["versions"].items(), title="Versions")
    devices = [("platform", facts["platform"]), ("devices", "\n".join(facts["devices"]))]
    show_pairs([*devices, ("cores", str(facts["cores"]))], title="Devices")
    show_pairs(((name, plant(system)) for name, system in facts["systems"].items()), title="Systems")
    show_pairs(((name, ", ".join(takes)) for name, takes in facts["techniques"].items()), title="Techniques")
    show_pairs(facts["studies"].items(), title="Studies")


def show_model(facts: dict[str, Any], *, as_json: bool) -> None:
    """Write the content of a model file."""
    if as_json:
        show_json(facts)
        return
    between = {"equations": "\n"}
    show_pairs(
        (name, between.get(name, ", ").join(value) or "none" if isinstance(value, list) else shown(value))
        for name, value in facts.items()
    )


def checksum(model: Path) -> dict[str, str]:
    """Return what the checksum of a model file says; a file that was damaged is an error already."""
    from sparsedyn.training import has_checksum

    there = "none: an earlier version wrote the file"
    return {"checksum": "as it was written" if has_checksum(model) else there}


def shown(value: Any) -> str:
    """Return a number or a text in words."""
    return number(value, 4) if isinstance(value, float) else str(value)


def everything() -> dict[str, Any]:
    """Return the facts that `info` shows, for JSON."""
    import dataclasses

    import jax

    from sparsedyn.sparsify import TECHNIQUES
    from sparsedyn.studies.catalogue import list_studies
    from sparsedyn.studies.made import versions
    from sparsedyn.systems import SYSTEMS

    return {
        "versions": versions(),
        "platform": jax.default_backend(),
        "devices": [str(device) for device in jax.devices()],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "systems": {
            name: {"states": system.state_names, "inputs": system.input_names, "dt": system.dt}
            for name, system in SYSTEMS.items()
        },
        "techniques": {
            name: [field.name for field in dataclasses.fields(technique)] for name, technique in TECHNIQUES.items()
        },
        "studies": list_studies(),
    }


def plant(system: dict[str, Any]) -> str:
    """Return a plant in words."""
    inputs = ", ".join(system["inputs"]) or "none"
    return f"states {', '.join(system['states'])}; inputs {inputs}; sample time {system['dt']:g}"


def show_version(wanted: bool) -> bool:
    """Print the version and end, if that is `wanted`."""
    if wanted:
        show_text(f"sparsedyn {importlib.metadata.version('sparsedyn')}")
        raise typer.Exit
    return wanted
