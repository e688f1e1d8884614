"""The words and numbers of a report: what is said of the results, and how."""

import numpy as np
import pandas as pd

from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.fans import exits, hold, off_scale, plausible_range
from sparsedyn.studies.comparison import fan_chart
from sparsedyn.studies.comparison.answer import answer, best_row, indistinct_rows
from sparsedyn.studies.document import words


def table(**columns: list[float]) -> pd.DataFrame:
    """Results at one horizon; `diverged` and `rfmse` give value, low, high, value, low, high, ..."""
    shares, errors = (np.reshape(columns[name], (-1, 3)) for name in ("diverged", "rfmse"))
    frame = pd.DataFrame({"cell": [f"c{i}" for i in range(len(shares))], "forecasts": 40, "weights": 100})
    frame["nonzeros"] = columns.get("nonzeros", [100.0] * len(shares))
    for name, values in (("diverged", shares), ("rfmse", errors)):
        for i, end in enumerate(("", "_low", "_high")):
            frame[f"{name}{end}"] = values[:, i]
    return frame


NAMES = {"c0": "A", "c1": "B", "c2": "<C>"}


def test_answer_names_a_winner_only_where_intervals_are_apart():
    apart = table(diverged=[0.02, 0, 0.05, 0.3, 0.2, 0.4], rfmse=[0.1, 0.09, 0.11, 0.3, 0.2, 0.4])
    text = " ".join(answer(apart, NAMES, "100 steps"))
    assert "**A** had the fewest diverging forecasts: 2.0 % of 40 (95 % interval 0 to 5.0 %)" in text
    assert "most stable" in text
    assert "no single winner" not in text
    assert "Least stable: B, of which 30.0 % diverged" in text
    overlapping = table(diverged=[0.02, 0, 0.25, 0.3, 0.2, 0.4], rfmse=[0.1, 0.09, 0.31, 0.3, 0.2, 0.4])
    text = " ".join(answer(overlapping, NAMES, "100 steps"))
    assert "The interval of B overlaps with that. So no single winner can be named between these two." in text
    assert "Least stable" not in text


def test_answer_leaves_techniques_that_mostly_diverge_out_of_the_errors():
    mostly = table(diverged=[0.1, 0.05, 0.2, 0.9, 0.8, 1.0], rfmse=[0.3, 0.2, 0.4, 0.05, 0.04, 0.06])
    text = " ".join(answer(mostly, NAMES, "100 steps"))
    assert "that of **A**" in text
    assert "are not compared" in text


def test_answer_names_the_sparsest_of_the_stable_ones():
    values = table(
        diverged=[0.0, 0, 0.02, 0.0, 0, 0.02, 0.5, 0.4, 0.6], rfmse=[0.1, 0.1, 0.1] * 3, nonzeros=[100, 30, 5]
    )
    text = " ".join(answer(values, NAMES, "100 steps"))
    assert "**A and B** had the fewest diverging forecasts: none of 40 each" in text
    assert "**B** has the fewest weights left: 30 of 100" in text


def test_answer_for_one_and_for_none():
    alone = table(diverged=[0.25, 0.1, 0.4], rfmse=[0.1, 0.09, 0.11])
    assert answer(alone, {"c0": "<A>"}, "100 steps")[0].startswith(
        "Within 100 steps, 25.0 % of the forecasts of **&lt;A"
    )
    lost = table(diverged=[1, 0.9, 1] * 2, rfmse=[np.nan] * 6)
    assert answer(lost, NAMES, "100 steps") == [
        "Within 100 steps every forecast of every configuration diverged.",
        "Errors are not compared: with every configuration more than half of the forecasts diverged.",
    ]


def test_best_and_indistinct_rows():
    values = table(diverged=[0.1, 0.0, 0.2, 0.1, 0.05, 0.15, 0.4, 0.15, 0.6], rfmse=[0.1] * 9)
    best = best_row(values, "diverged")
    assert best == 1
    assert indistinct_rows(values, "diverged", best) == [0, 2]
    assert best_row(values.assign(diverged=np.nan), "diverged") is None


def test_clock_chooses_a_unit():
    assert Clock(10.0, 5000).label == "time, h"
    assert Clock(10.0, 5000).horizon(5000) == "5,000 steps (13.9 h)"
    assert Clock(10.0, 5000).horizon(100) == "100 steps (16.5 min)"
    assert Clock(0.02, 200).horizon(200) == "200 steps (3.98 s)"
    assert Clock(None, 200).label == "time, steps"
    np.testing.assert_allclose(Clock(10.0, 5000).times(np.array([0, 360])), [0, 1])


def test_forecasts_end_where_they_leave():
    plausible = plausible_range(np.array([[[0.0], [1.0], [2.0]]]))
    np.testing.assert_allclose(plausible, [[-1.0], [3.0]])
    forecasts = np.array([[0, 1, 2], [0, 9, 2], [0, -9, 0], [2.5, np.nan, 0], [0, 1, np.inf]], float)
    left = exits(forecasts, plausible[:, 0])
    np.testing.assert_array_equal(left, [3, 1, 1, 1, 2])
    np.testing.assert_array_equal(off_scale(forecasts[:, :, None], plausible)[:, 0], left < 3)
    held = hold(forecasts, left, plausible[:, 0])
    np.testing.assert_allclose(held, [[0, 1, 2], [0, 3, 3], [0, -1, -1], [2.5, 3, 3], [0, 1, 3]])


def test_charts_end_where_forecasts_leave():
    plausible = np.array([[-1.0, 10.0], [1.0, 30.0]])
    values = np.random.default_rng(0).uniform(plausible[0], plausible[1], (3, 50, 2))
    values[1, 20:, 0] = np.inf
    values[2, 30, 1] = np.nan
    shown = fan_chart.until_left(values, plausible)
    assert np.isnan(shown).sum() == 30 + 20
    np.testing.assert_array_equal(shown[~np.isnan(shown)], values[~np.isnan(shown)])
    x, y = fan_chart.joined(np.arange(50.0), shown[..., 0])
    assert len(x) == len(y) == 3 * 51
    assert np.isnan(y[50::51]).all()
    assert len(fan_chart.thin(400)) == fan_chart.MOST_POINTS
    np.testing.assert_array_equal(fan_chart.thin(5), np.arange(5))


def test_numbers_are_written_for_people():
    assert [words.percent(v) for v in (0.0, 0.004, 0.5, 1.0, np.nan)] == ["0 %", "0.4 %", "50.0 %", "100 %", "–"]
    assert [words.quantity(v) for v in (0.0123, 0.5, 1.5, 12345.0, np.nan)] == ["0.012", "0.50", "1.50", "12,345", "–"]
    assert words.listing(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d and 2 others"
    assert words.listing(["a, 1", "b", "c"]) == "a, 1; b and c"
    assert [words.duration(s) for s in (3.21, 130.0, 7300.0)] == ["3.2 s", "2 min 10 s", "2 h 1 min"]
