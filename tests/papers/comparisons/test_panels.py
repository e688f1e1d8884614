"""Pictures arranged as in a paper, with its values as marks, and pictures of the data."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from sparsedyn.data import Trajectories, write
from sparsedyn.plotting.layout import headline
from sparsedyn.plotting.series import thinned
from sparsedyn.plotting.style import PALETTE, Look
from sparsedyn.studies import figures
from sparsedyn.studies.comparison.kind import COMPARISON
from sparsedyn.studies.document import Picture
from sparsedyn_papers.comparisons.panels import forecasts_shown
from sparsedyn_papers.figures.bands import panel_bars, panel_violins

from ...studies.synthetic_study import Made, contents, make_study, stored

MADE = Made(
    techniques=(("Dense", 1.0, 0.3, 0.2), ("DSR", 0.5, 0.9, 1.0)), averages=("none", "swa"), members=4,
    trajectories=7, fans=1, states=2, inputs=1, rows=300, points=40, horizons=(30, 300),
)  # fmt: skip
SPEC = """
name = "panels"
horizons = [30, 300]
averages = ["none", "swa"]
data = { system = "aluminum-cell", train = 2, validation = 1, test = 7, steps = 300 }

[[techniques]]
label = "Dense"

[[techniques]]
label = "DSR"

[[panels]]
title = "Techniques & <more>"
figure = "Fig. 6 and 7"
cells = ["Dense", "DSR"]

[[panels]]
title = "Averaged"
cells = ["Dense", "Dense + SWA", "DSR + SWA"]

[published]
source = "A paper"
horizons = [30, 300]
rows = [{ cell = "Dense", diverged = [0, 12.5], rfmse = [0.25, nan] }]
"""


def study(directory: Path, spec: str = SPEC, **changes: object) -> dict[str, Picture]:
    """Return the pictures by name of a synthetic study with `spec`."""
    make_study(directory, dataclasses.replace(MADE, **changes))  # type: ignore[arg-type]
    (directory / "study.toml").write_text(spec, encoding="utf-8")
    return pictures(directory)


def pictures(directory: Path) -> dict[str, Picture]:
    return {picture.name: picture for picture in COMPARISON.document(stored(directory)).pictures()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    return study(tmp_path_factory.mktemp("study") / "small")


def looks(count: int) -> dict[str, Look]:
    return {f"c{i}": Look(f"cell {i}", f"cell {i}", f"cell {i}", PALETTE[i % 8], bool(i % 2)) for i in range(count)}


def shares(cells: int, horizons: tuple[int, ...]) -> pd.DataFrame:
    rows = [(f"c{i}", h, 0.1 * i, 0.05 * i, min(1.0, 0.2 * i)) for i in range(cells) for h in horizons]
    return pd.DataFrame(rows, columns=["cell", "horizon", "diverged", "diverged_low", "diverged_high"])


def errors(horizons: tuple[int, ...], values: np.ndarray) -> pd.DataFrame:
    """Return a table of forecasts; a value that is not a number has diverged."""
    parts = [pd.DataFrame({"horizon": h, "rfmse": values, "diverged": np.isnan(values)}) for h in horizons]
    return pd.concat(parts, ignore_index=True)


def diamonds(figure: Figure) -> list[tuple[float, float]]:
    lines = [line for ax in figure.axes for line in ax.lines if line.get_marker() == "D"]
    return [(float(np.ravel(line.get_xdata())[0]), float(np.ravel(line.get_ydata())[0])) for line in lines]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def bars(figure: Figure) -> list[Rectangle]:
    return [patch for ax in figure.axes for patch in ax.patches if isinstance(patch, Rectangle)]


def test_every_panel_has_bars_and_violins(drawn: dict[str, Picture]):
    names = [name for name in drawn if name.startswith("panel")]
    assert names == ["panel-1-diverged", "panel-1-rfmse", "panel-2-diverged", "panel-2-rfmse"]
    first, second = drawn["panel-1-diverged"], drawn["panel-2-rfmse"]
    assert "**Techniques &amp; &lt;more&gt;**" in first.caption
    assert "Arranged like the paper's Fig. 6 and 7." in first.caption
    assert "Arranged" not in second.caption
    assert "Dense, Dense + SWA and DSR + SWA" in second.alt


def test_published_values_are_marked_where_they_are_numbers(drawn: dict[str, Picture]):
    bar, violin = drawn["panel-1-diverged"].draw(), drawn["panel-1-rfmse"].draw()
    assert [y for _, y in diamonds(bar)] == [0.0, 12.5]
    assert [y for _, y in diamonds(violin)] == [0.25]
    assert legend(bar) == ["Dense", "DSR", "published"]
    assert legend(violin)[-1] == "published mean"
    assert "Diamonds: published shares." in drawn["panel-1-diverged"].caption


def test_a_published_mark_stands_on_its_bar():
    figure = panel_bars(
        shares(3, (10, 20)), looks(3), {10: "10 steps", 20: "20 steps"}, {("c1", 20): 7.0, ("c9", 20): 5.0}, title="T"
    )
    (place,) = diamonds(figure)
    # Horizon by horizon, in it cell by cell.
    bar = bars(figure)[4]
    assert place == pytest.approx((bar.get_x() + bar.get_width() / 2, 7.0))
    assert bar.get_height() == pytest.approx(10.0)
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.get_xticklabels()] == ["10 steps", "20 steps"]


def test_bars_do_not_touch_and_stay_within_their_horizon():
    figure = panel_bars(shares(8, (10, 20)), looks(8), {10: "a", 20: "b"}, {}, title="T")
    ends = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars(figure))
    assert all(right < left for (_, right), (left, _) in pairwise(ends))
    assert ends[0][0] > -0.5
    assert ends[7][1] < 0.5 < ends[8][0]
    assert legend(figure) == [f"cell {i}" for i in range(8)]


def test_many_entries_go_on_below():
    horizons = (10, 20, 30, 40, 50)
    table = shares(30, horizons)
    figure = panel_bars(table, looks(30), {h: f"{h} steps" for h in horizons}, {}, title="T")
    assert [len(ax.get_xticks()) for ax in figure.axes] == [2, 2, 1]
    assert {ax.get_ylim() for ax in figure.axes} == {figure.axes[0].get_ylim()}
    assert len({ax.get_xlim() for ax in figure.axes}) == 1


def test_violins_stand_upright_on_one_logarithmic_axis():
    values = np.geomspace(0.01, 1.0, 30)
    tables = {"c0": errors((10, 20), values), "c1": errors((10, 20), np.full(30, np.nan))}
    figure = panel_violins(tables, looks(3), {10: "a", 20: "b"}, {}, title="T")
    (ax,) = figure.axes
    assert ax.get_yscale() == "log"
    low, high = ax.get_ylim()
    assert low < 0.01 < 1.0 < high
    shapes = [shape for shape in ax.collections if isinstance(shape, PolyCollection)]
    assert len(shapes) == 2
    points = shapes[0].get_paths()[0].vertices
    assert np.ptp(points[:, 1]) == pytest.approx(0.99)
    assert np.ptp(points[:, 0]) < 0.86 / 3
    # Of the third cell nothing is known: not even that it diverged.
    assert [text.get_text() for text in ax.texts] == ["all diverged"] * 2
    rings = [line for line in ax.lines if line.get_marker() == "o"]
    assert [float(np.ravel(ring.get_ydata())[0]) for ring in rings] == pytest.approx([values.mean()] * 2)


def test_few_survivors_are_drawn_one_by_one():
    figure = panel_violins({"c0": errors((10,), np.array([0.1, 0.2, np.nan]))}, looks(1), {10: "a"}, {}, title="T")
    (ax,) = figure.axes
    assert not ax.collections
    assert len(ax.lines[0].get_ydata()) == 2


@pytest.mark.parametrize("cells", [1, 4, 5, 8, 16])
def test_nothing_is_cut_off(cells: int):
    horizons = {100: "100 steps (16.5 min)", 1000: "1,000 steps (2.77 h)", 2500: "2,500 steps", 5000: "5,000 steps"}
    tables = {f"c{i}": errors(tuple(horizons), np.geomspace(0.01, 1.0, 12)) for i in range(cells)}
    title = "A title that is longer than a narrow figure is wide, so that it needs a second line to stand on"
    for figure in (
        panel_bars(shares(cells, tuple(horizons)), looks(cells), horizons, {("c0", 100): 100.0}, title=title),
        panel_violins(tables, looks(cells), horizons, {("c0", 100): 0.1}, title=title),
    ):
        assert_inside(figure)


def assert_inside(figure: Figure) -> None:
    """Title, legend and labels lie within the figure, and names of horizons do not run into one another."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    whole = figure.bbox
    title = figure._suptitle  # type: ignore[attr-defined]
    ticks = [[t.get_window_extent(renderer) for t in ax.get_xticklabels()] for ax in figure.axes]
    boxes = [title.get_window_extent(renderer), *(one.get_window_extent(renderer) for one in figure.legends)]
    boxes += [box for row in ticks for box in row]
    boxes += [ax.yaxis.label.get_window_extent(renderer) for ax in figure.axes]
    for box in boxes:
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1
    for row in ticks:
        assert all(a.x1 < b.x0 for a, b in pairwise(row))


def test_the_title_of_a_small_map_is_not_cut_off():
    figure = figures.input_output_maps({"c0": np.ones((1, 2))}, looks(1), output_names=("x",), feature_names=("x", "u"))
    figure.draw_without_rendering()
    title = figure._suptitle  # type: ignore[attr-defined]
    assert title.get_window_extent().x1 <= figure.bbox.x1


def test_headline_makes_room_for_its_lines():
    figure = Figure(figsize=(3.0, 2.0), layout="constrained")
    headline(figure, "words " * 20)
    assert figure.get_figheight() > 2.4


def test_the_states_and_inputs_of_five_trajectories_are_shown(drawn: dict[str, Picture]):
    assert [name for name in drawn if name in ("inputs", "states")] == ["states", "inputs"]
    states, inputs = drawn["states"].draw(), drawn["inputs"].draw()
    assert [ax.get_title(loc="left") for ax in states.axes] == ["side_ledge", "alumina"]
    assert [ax.get_ylabel() for ax in states.axes] == ["kg", "kg"]
    assert [len(ax.lines) for ax in (*states.axes, *inputs.axes)] == [5, 5, 5]
    assert len(legend(states)) == 5
    assert states.axes[0].get_xlabel() == "time, min"
    held = inputs.axes[0].lines[0]
    assert isinstance(held, Line2D)
    assert held.get_drawstyle() == "steps-post"


def test_trajectories_of_different_lengths_without_inputs(tmp_path: Path):
    make_study(tmp_path, dataclasses.replace(MADE, inputs=0))
    rng = np.random.default_rng(0)
    write(Trajectories([rng.normal(size=(n, 2)) for n in (300, 1700)], dt=10.0), tmp_path / "data" / "test.npz")
    found = pictures(tmp_path)
    assert "inputs" not in found
    ax = found["states"].draw().axes[0]
    short, long = ax.lines
    assert len(short.get_xdata()) == 300
    assert len(long.get_xdata()) <= 600
    assert ax.get_xlim()[1] == pytest.approx(1699 * 10 / 60)


def test_thinning_keeps_peaks_and_ends():
    series = np.zeros(5000)
    series[[1234, 4321]] = 1.0, -1.0
    chosen = thinned(series)
    assert len(chosen) <= 600
    assert {0, 1234, 4321, 4999} <= set(chosen.tolist())
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(thinned(series[:10]), np.arange(10))


def test_what_is_missing_is_left_out(tmp_path: Path):
    make_study(tmp_path, MADE)
    (tmp_path / "study.toml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "data" / "test.npz").unlink()
    results = pd.read_parquet(tmp_path / "results.parquet")
    results[results["cell"] == "Dense"].to_parquet(tmp_path / "results.parquet", index=False)
    whole = stored(tmp_path)
    cells = [cell._replace(tables={}) for cell in whole.cells]
    found = {p.name: p for p in COMPARISON.document(dataclasses.replace(whole, cells=cells)).pictures()}
    assert [name for name in found if name.startswith("panel")] == ["panel-1-diverged", "panel-2-diverged"]
    assert {"states", "inputs"}.isdisjoint(found)
    assert "Not among the results: Dense + SWA and DSR + SWA." in found["panel-2-diverged"].caption
    found["panel-2-diverged"].draw()


def test_a_study_without_panels_has_none(tmp_path: Path):
    assert not any(name.startswith("panel") for name in study(tmp_path, SPEC.split("[[panels]]")[0]))


def test_panels_of_forecasts_choose_what_is_shown(drawn: dict[str, Picture], tmp_path: Path):
    fan = '[[panels]]\ntitle = "F"\nfigure = "Fig. <4>"\ncells = ["DSR", "Dense + SWA"]\nkind = "fan"\n'
    assert "Like the paper" not in drawn["fan-dense-40"].caption
    found = study(tmp_path, f"{SPEC}\n{fan}")
    assert found["fan-dsr-40"].caption.endswith("Like the paper's Fig. &lt;4&gt;.")
    assert list(forecasts_shown(contents(tmp_path))) == ["DSR", "Dense + SWA"]
