"""The built-in studies, one TOML file each."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def studies() -> dict[str, Traversable]:
    """Return the files of the built-in studies by name, in alphabetical order."""
    found = sorted((file for file in files(__name__).iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return {file.name.removesuffix(".toml"): file for file in found}
