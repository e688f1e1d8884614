"""What the executor for Ray asks of it: lost items are sent again, and nothing is left running."""

import sys
from typing import Any

import pytest

from sparsedyn.executors import ExecutorError, Finished, Lost, Ray, results

from .fake_ray import FakeRay, RuntimeEnvSetupError


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    made = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", made)
    monkeypatch.setitem(sys.modules, "ray.exceptions", made.exceptions)
    return made


def halved(shared: int, item: int, report: Any) -> float:
    report(f"{item} begins")
    return shared / item


def test_results_come_in_any_order_with_their_places(ray: FakeRay):
    heard: list[tuple[int, Any]] = []
    with Ray() as executor:
        assert executor.workers == 2
        found = list(executor.map(halved, 6, [2, 3, 0], on_report=lambda *what: heard.append(what)))
    assert [one.place for one in found] == [2, 1, 0]
    assert found[1:] == [Finished(1, 2.0), Finished(0, 3.0)]
    assert isinstance(found[0].error, ZeroDivisionError)
    assert heard == [(2, "0 begins"), (1, "3 begins")]
    assert len(ray.killed) == 1
    assert not ray.connected


def test_lost_items_are_sent_again_some_times(ray: FakeRay):
    ray.losses = {2: 3, 3: 4}
    heard: list[Lost] = []
    found = {one.place: one for one in Ray().map(halved, 6, [2, 3], on_report=lambda _, what: heard.append(what))}
    assert found[0].result == 3.0
    assert isinstance(found[1].error, ExecutorError)
    assert str(found[1].error) == "its workers were lost, 4 times."
    assert [what.times for what in heard if isinstance(what, Lost)] == [1, 2, 3, 4, 1, 2, 3]


def test_what_is_not_finished_is_given_up(ray: FakeRay):
    with Ray() as executor, pytest.raises(ZeroDivisionError):
        results(executor.map(halved, 6, [2, 3, 0]), 3)
    assert len(ray.cancelled) == 2

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Ray().map(halved, 6, [2, 3], check=stop))
    assert len(ray.cancelled) == 4


def test_a_connection_of_the_user_stays(ray: FakeRay):
    ray.connected = True
    with Ray() as executor:
        assert executor.workers == 2
    assert ray.connected


def test_clusters_that_cannot_be_used_are_said(ray: FakeRay):
    ray.refuses = ConnectionError("no node\nhere")
    with pytest.raises(
        ExecutorError, match=r"auto: expected the address of a Ray cluster.*\(no node here\).*ray start"
    ):
        Ray()
    with pytest.raises(ExecutorError, match=r"ray://127\.0\.0\.1:1: expected .* cannot be reached"):
        Ray("ray://127.0.0.1:1")
    ray.refuses, ray.cpus = None, 0
    with pytest.raises(ExecutorError, match="expected a Ray cluster with CPUs"):
        list(Ray().map(halved, 6, [1]))


def test_workers_that_cannot_be_started_are_no_loss(ray: FakeRay):
    def unable(shared: None, item: int, report: Any) -> None:
        raise RuntimeEnvSetupError("no room")

    (one,) = Ray().map(unable, None, [1])
    assert isinstance(one.error, ExecutorError)
    assert "workers cannot be started (no room)" in str(one.error)
