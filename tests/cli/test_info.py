"""`sparsedyn info`."""

import json

from sparsedyn.sparsify import TECHNIQUES
from sparsedyn.systems import SYSTEMS


def test_json(run):
    facts = json.loads(run("info", "--json").stdout)
    assert set(facts["systems"]) == set(SYSTEMS)
    assert set(facts["techniques"]) == set(TECHNIQUES)
    assert {"sparsedyn", "jax", "python"} <= set(facts["versions"])
    assert facts["devices"]
    assert facts["cores"] >= 1


def test_for_people(run):
    text = run("info").stdout
    assert all(word in text for word in ("jax", "devices", "lotka-volterra", "magnitude", "aluminum-quick"))
