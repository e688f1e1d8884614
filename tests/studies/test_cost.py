"""What a study is expected to cost: operations of its spec, and a rate that is measured once."""

import json

import pytest

from sparsedyn.studies import cost as costs
from sparsedyn.studies import load
from sparsedyn.studies.comparison.cost import cost, training_operations, weights
from sparsedyn.studies.cost import Cost, machine_rate


def test_operations_are_those_of_all_products_but_the_first_gradient_by_inputs():
    assert weights([13, 25, 8]) == 13 * 25 + 25 * 8
    forward, by_weights, by_inputs = weights([13, 25, 8]), weights([13, 25, 8]), 25 * 8
    assert training_operations([13, 25, 8], 50) == 2 * 50 * (forward + by_weights + by_inputs)


def test_steps_are_counted_from_the_spec():
    spec = load("aluminum-quick")
    found = cost(spec)
    cells = [cell for technique in spec.techniques for cell in (technique.averages or spec.averages)]
    data, training = spec.data, spec.training
    steps = training.epochs * (data.train[0] * data.steps // training.batch)
    # Averaged networks are those without an average until the rate is raised.
    assert [average["type"] for average in spec.averages] == ["none", "swa"]
    assert found.member_steps == len(cells) / 2 * (1 + 0.25) * training.members * steps
    assert found.forecast_steps == len(cells) * training.members * data.test * (max(spec.horizons) - 1)


def test_a_search_and_files_have_none():
    assert cost(load("haugstvedt2023-grid")) is None


def test_time_is_in_proportion_to_operations_and_cores():
    one = Cost(1, 1, 6e9, fixed=2.0)
    assert one.seconds(1e9, 1) == 8.0
    assert one.seconds(1e9, 2) == 5.0


def test_the_rate_is_measured_once(tmp_path, monkeypatch):
    monkeypatch.setattr(costs.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    found = machine_rate()
    assert found > 1e8
    stored = json.loads((tmp_path / "sparsedyn" / "rate.json").read_text())
    assert stored["rate"] == found
    monkeypatch.setattr(costs, "_measured", lambda: pytest.fail("measured again"))
    assert machine_rate() == found


@pytest.mark.parametrize("content", ["", "[]", '{"machine": 1, "rate": "fast"}'])
def test_a_spoiled_record_is_measured_anew(content, tmp_path, monkeypatch):
    monkeypatch.setattr(costs.platformdirs, "user_cache_path", lambda name: tmp_path)
    (tmp_path / "rate.json").write_text(content)
    monkeypatch.setattr(costs, "_measured", lambda: 5e9)
    assert machine_rate() == 5e9
