"""`sparsedyn info`."""

import json

import numpy as np

from sparsedyn.estimators import SINDy
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


def test_verify_says_whether_a_model_is_as_it_was_written(run, tmp_path):
    path = tmp_path / "found.model"
    SINDy(threshold=0.1).fit(np.linspace(1.0, 2.0, 50)[:, None] ** 2, 0.02).save(path)
    assert "as it was written" in run("info", "--verify", path).stdout
    content = path.read_bytes()
    path.write_bytes(content[:-3] + b"\1" + content[-2:])
    result = run("info", "--verify", path)
    assert result.exit_code != 0
    assert "damaged or changed" in result.stderr
    assert "expected a model file to verify" in run("info", "--verify").stderr
