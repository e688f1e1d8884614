"""Executors: what they call, what they yield, and what comes of errors."""

import sys

import pytest

from sparsedyn.executors import Finished, Local, Ray, results


def halved(shared: int, item: int, report) -> float:
    report(f"{item} begins")
    return shared / item


def test_results_errors_and_reports_belong_to_their_items():
    heard: list[tuple[int, str]] = []
    found = list(Local().map(halved, 6, [2, 0, 3], on_report=lambda place, what: heard.append((place, what))))
    assert found[0] == Finished(0, 3.0)
    assert found[2] == Finished(2, 2.0)
    assert found[1].place == 1
    assert isinstance(found[1].error, ZeroDivisionError)
    assert heard == [(0, "2 begins"), (1, "0 begins"), (2, "3 begins")]


def test_results_are_in_the_order_of_items_and_the_first_error_is_raised():
    assert results((one for one in (Finished(1, "b"), Finished(0, "a"))), 2) == ["a", "b"]
    with pytest.raises(ZeroDivisionError):
        results(Local().map(halved, 6, [2, 0]), 2)


def test_a_check_stops_between_two_items():
    done: list[int] = []

    def stop() -> None:
        if done:
            raise KeyboardInterrupt

    found = Local().map(halved, 6, [1, 2], check=stop)
    done.append(next(found).place)
    with pytest.raises(KeyboardInterrupt):
        next(found)


def test_without_ray_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r'pip install "sparsedyn\[ray\]"'):
        Ray()
