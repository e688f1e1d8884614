"""Registries: names without imports, values at their first use."""

import subprocess
import sys

import pytest

from sparsedyn._registry import Registry
from sparsedyn.sparsify import TECHNIQUES, AbstractSparsifier
from sparsedyn.systems import SYSTEMS, AbstractSystem


def test_a_registry_is_a_mapping():
    letters: Registry[str] = Registry("json", {"decoder": "decoder:JSONDecoder", "encoder": "encoder:JSONEncoder"})
    assert list(letters) == ["decoder", "encoder"]
    assert len(letters) == 2
    assert "decoder" in letters
    assert "coder" not in letters
    assert dict(letters)["encoder"].__name__ == "JSONEncoder"
    assert letters.get("coder") is None
    with pytest.raises(KeyError, match="coder"):
        letters["coder"]


def test_names_need_no_import():
    code = (
        "import sys; from sparsedyn.sparsify import TECHNIQUES; from sparsedyn.systems import SYSTEMS;"
        "assert 'l1' in TECHNIQUES and 'duffing' in SYSTEMS; print(len({'jax', 'numpy', 'equinox'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "0"


def test_every_place_is_there():
    assert all(issubclass(technique, AbstractSparsifier) for technique in TECHNIQUES.values())
    assert all(issubclass(system, AbstractSystem) and system.name == name for name, system in SYSTEMS.items())
