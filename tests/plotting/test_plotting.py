"""What the public functions draw: how many lines, which labels, which numbers."""

from collections.abc import Callable, Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import sympy
import xarray as xr
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sparsedyn import Trajectories, plotting
from sparsedyn.data import overview
from sparsedyn.plotting import style
from sparsedyn.plotting.layout import standalone
from sparsedyn.plotting.text import unit_text
from sparsedyn.selection import SearchResult

from .made import HOSTILE, data, forecast, history, scores

COEFFICIENTS = pd.DataFrame({"$x_": [0.0, -2.0, 0.5], "_hidden": [1e-6, 0.0, 20.0]}, index=["1", "$x_", "$x_ <b>"])
PARETO = pd.DataFrame(
    {"complexity": [1, 3, 9], "error": [0.9, 0.1, 1e-20], "equation": [sympy.Integer(2), sympy.Symbol("$x_"), "_a <b>"]}
)
TABLE = overview(
    pd.DataFrame({"time": [0.0, 1.0, 2.0, 5.0], "$x_": [1.0, np.nan, 3.0, 2.0], "<b>": [0.0, 0.0, 1.0, 1.0]})
)
FOLDS = pd.DataFrame({"candidate": [0, 0, 1, 1], "fold": [0, 1, 0, 1], "error": [0.1, 0.2, 0.2, 0.3]})
FOLDS = FOLDS.assign(diverged=0.0, rfmse=0.1, nonzeros=[9, 9, 1, 1], fit_time=0.1)
SEARCH = SearchResult(None, data(), [{"threshold": 0.1}, {"threshold": 1.0}], FOLDS, ["", ""], 10)
TWO = {"$L1_": forecast(), "_hidden": forecast(lost=(0, 1, 2, 3))}
# Each with data as estimators return them, and how many axes it draws on.
FUNCTIONS: dict[str, tuple[Callable[..., object], int]] = {
    "coefficients": (lambda **where: plotting.coefficients(COEFFICIENTS, **where), 1),
    "divergence": (lambda **where: plotting.divergence({"$L1_": scores(), "_hidden": scores()}, **where), 1),
    "error_over_time": (lambda **where: plotting.error_over_time(TWO, horizons=(10,), **where), 1),
    "error_violins": (lambda **where: plotting.error_violins(TWO, (10, 40), **where), 1),
    "fan": (lambda **where: plotting.fan(forecast(lost=(1,)), "$second_", **where), 3),
    "graph": (lambda **where: plotting.graph(np.ones((4, 3, 4)), HOSTILE, ("u^{",), **where), 1),
    "input_output_map": (
        lambda **where: plotting.input_output_map(np.ones((4, 3, 4)), HOSTILE, ("u^{",), **where), 1
    ),
    "pareto": (lambda **where: plotting.pareto(PARETO, chosen=sympy.Symbol("$x_"), **where), 1),
    "portrait": (lambda **where: plotting.portrait(data(), ("$x_", "<b>"), label="_hidden", **where), 1),
    "recorded": (lambda **where: plotting.recorded(TABLE, **where), 2),
    "search_path": (lambda **where: plotting.search_path(SEARCH, **where), 1),
    "sparsity_against_error": (
        lambda **where: plotting.sparsity_against_error(
            {"$L1_": scores(), "_hidden": scores()}, {"$L1_": [10, 20], "_hidden": 300}, **where
        ),
        1,
    ),
    "training": (lambda **where: plotting.training(history(), **where), 2),
    "trajectories": (lambda **where: plotting.trajectories(data(), **where), 4),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    pyplot.close("all")


def flat(drawn: object) -> list[Axes]:
    axes = [drawn] if isinstance(drawn, Axes) else list(drawn)  # type: ignore[call-overload]
    assert all(isinstance(ax, Axes) for ax in axes)
    return axes


def legend(figure: Figure) -> list[str]:
    return [text.get_text().removeprefix("\u200b") for text in figure.legends[0].get_texts()]


def test_every_public_function_is_tested_here():
    assert set(FUNCTIONS) == set(plotting.__all__) - {"PALETTE", "Look"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_new_axes_are_in_one_figure_of_pyplot_and_settings_stay(name: str):
    draw, count = FUNCTIONS[name]
    before = dict(mpl.rcParams)
    axes = flat(draw())
    assert len(axes) == count
    assert dict(mpl.rcParams) == before
    (number,) = pyplot.get_fignums()
    assert {ax.get_figure() for ax in axes} == {pyplot.figure(number)}
    # Hostile names are letters, neither mathematics nor left out.
    axes[0].figure.draw_without_rendering()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_given_axes_are_drawn_into_and_returned(name: str):
    draw, count = FUNCTIONS[name]
    figure, axes = pyplot.subplots(count, 1, squeeze=False)
    where = {"ax": axes[0, 0]} if count == 1 else {"axes": axes}
    assert flat(draw(**where)) == list(axes.ravel())
    assert len(figure.axes) == count
    assert not figure.legends
    assert pyplot.get_fignums() == [figure.number]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_given_figure_is_filled_without_pyplot(name: str):
    draw, _ = FUNCTIONS[name]
    figure = standalone()
    axes = flat(draw(figure=figure, title="About $x_ and <b>"))
    assert all(ax in figure.axes for ax in axes)
    assert not pyplot.get_fignums()
    figure.draw_without_rendering()
    assert figure.get_suptitle() == r"About \$x_ and <b>"


def test_a_wrong_number_of_axes_is_refused():
    _, axes = pyplot.subplots(2, 1)
    with pytest.raises(ValueError, match=r"axes: expected 3, one per panel; got 2\. Make them with plt\.subplots"):
        plotting.fan(forecast(), axes=axes)


def test_fan_draws_every_member_and_the_truth():
    made = forecast(lost=(1,))
    axes = plotting.fan(made, "$second_")
    assert [ax.get_title(loc="left") for ax in axes] == [r"\$x_", "_hidden", "<b>"]
    assert [ax.get_ylabel() for ax in axes] == ["kg", "°C", ""]
    truth, *members = axes[0].lines
    np.testing.assert_array_equal(truth.get_ydata(), made.truth[1, :, 0])
    np.testing.assert_allclose(truth.get_xdata(), 2.0 * np.arange(40))
    assert len(members) == 4
    np.testing.assert_array_equal(members[0].get_ydata(), made.predicted[0, 1, :, 0])
    # A forecast ends where it leaves the plausible range, and is counted.
    assert len(members[1].get_ydata()) == 21
    assert axes[0].texts[0].get_text() == "1 of 4 off scale"
    assert legend(axes[0].figure) == ["truth", "4 members"]
    assert axes[0].get_xlabel() == axes[2].get_xlabel() == "time, s"


def test_fan_of_many_members_draws_bands_and_of_a_short_trajectory_its_rows():
    axes = plotting.fan(forecast(30), 2)
    assert [len(ax.lines) for ax in axes] == [2, 2, 2]
    assert [len([c for c in ax.collections if isinstance(c, PolyCollection)]) for ax in axes] == [2, 2, 2]
    assert len(axes[0].lines[0].get_xdata()) == 25
    assert legend(axes[0].figure) == ["truth", "5 to 95 % of 30 members", "25 to 75 %"]


@pytest.mark.parametrize("trajectory", [3, -4, "fourth"])
def test_fan_names_the_trajectories_that_there_are(trajectory: int | str):
    with pytest.raises(ValueError, match=r"trajectory: expected a position below 3 or one of first, \$second_, _third"):
        plotting.fan(forecast(), trajectory)


def test_error_over_time_is_the_median_over_forecasts():
    made = forecast()
    ax = plotting.error_over_time(made, horizons=(10, 40), band=(0.0, 1.0))
    middle, *marks = ax.lines
    np.testing.assert_allclose([mark.get_xdata()[0] for mark in marks], [18.0, 78.0])
    error = np.abs(made.predicted - made.truth).mean(axis=-1)[:, :, 30]
    # The third trajectory is over by then.
    expected = np.sort(error[:, :2].ravel())[3]
    assert middle.get_ydata()[30] == pytest.approx(expected)
    assert ax.get_yscale() == "log"
    assert legend(ax.figure) == ["median", "0 to 100 % of the forecasts", "horizons"]


def test_errors_are_compared_on_one_axis_in_the_palette():
    ax = plotting.error_over_time(TWO)
    assert [line.get_color() for line in ax.lines] == list(plotting.PALETTE[:2])
    assert legend(ax.figure)[:2] == [r"\$L1_", "_hidden"]
    # Diverged forecasts leave through the top.
    assert ax.lines[1].get_ydata()[-1] > ax.get_ylim()[1]


def test_divergence_has_a_bar_per_entry_and_horizon():
    ax = plotting.divergence({"a": scores(), "b": scores()})
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [bar.get_height() for bar in bars] == [0.0, 0.0, 25.0, 25.0]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["10 steps", "40 steps"]
    assert [tuple(line.get_ydata()) for line in ax.lines if line.get_color() == "#222222"][-1] == (10.0, 50.0)
    assert [text.get_text() for text in ax.texts] == ["0", "0", "25", "25"]
    assert legend(ax.figure) == ["a", "b"]
    named = plotting.divergence(scores(), horizons={40: "the end (40)"})
    assert [text.get_text() for text in named.get_xticklabels()] == ["the end\n(40)"]
    assert not named.figure.legends


def test_violins_say_what_diverged():
    ax = plotting.error_violins(TWO, (10, 40))
    assert [text.get_text() for text in ax.texts] == ["all diverged"]
    rings = [float(np.ravel(line.get_ydata())[0]) for line in ax.lines if line.get_marker() == "o"]
    expected = [made.scores(h).rfmse for h in (10, 40) for made in TWO.values()]
    assert rings == pytest.approx([np.nanmean(values) for values in expected[:3]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["10 steps\n(18 s)", "40 steps\n(78 s)"]


def test_coefficients_are_signs_and_sizes():
    ax = plotting.coefficients(COEFFICIENTS)
    shades = ax.images[0].get_array()
    np.testing.assert_array_equal(np.isnan(np.ma.filled(shades, np.nan)), COEFFICIENTS.to_numpy() == 0)
    assert shades[1, 0] == pytest.approx(-(1 + np.log10(0.1) / 3))
    assert shades[2, 1] == 1.0
    assert [text.get_text() for text in ax.texts] == ["1.00e−06", "−2.00", "0.500", "20.0"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1", r"\$x_", r"\$x_ <b>"]
    bare = plotting.coefficients(COEFFICIENTS, largest=200.0, digits=None)
    assert not bare.texts
    assert bare.images[0].get_array()[2, 1] == pytest.approx(1 - 1 / 3)


def test_a_map_shows_the_share_of_members_above_the_threshold():
    strengths = np.zeros((4, 2, 3))
    strengths[:3, 0, 2], strengths[0, 1, 1], strengths[3] = 0.2, 0.05, np.nan
    truth = np.array([[False, False, True], [False, False, False]])
    ax = plotting.input_output_map(strengths, truth=truth)
    np.testing.assert_allclose(ax.images[0].get_array(), [[0, 0, 1], [0, 0, 0]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["x1", "x2", "u1"]
    assert len(ax.patches) == 1
    np.testing.assert_allclose(
        plotting.input_output_map(strengths, threshold=0.01).images[0].get_array(), [[0, 0, 1], [0, 1 / 3, 0]]
    )
    np.testing.assert_allclose(plotting.input_output_map(strengths > 0.1).images[0].get_array()[0, 2], 0.75)
    with pytest.raises(ValueError, match="inputs: expected 1 names; got 2: u, v"):
        plotting.input_output_map(strengths, inputs=("u", "v"))


def test_sparsity_against_error_takes_the_longest_horizon():
    ax = plotting.sparsity_against_error({"a": scores(), "b": scores(0.1)}, {"a": [10, 20], "b": 300})
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points, [(15 / 1.015, 0.4), (300 / 1.015, 0.5)])
    share = plotting.sparsity_against_error(scores(), 7, measure="diverged", horizon=10)
    assert [line.get_ydata()[0] for line in share.lines if line.get_marker() == "o"] == [0.0]
    assert share.get_ylabel() == "diverged, %"
    for wrong, message in (
        ({"measure": "rmse"}, "measure: expected one of rfmse, diverged; got 'rmse'"),
        ({"horizon": 11}, "horizon: expected one of 10, 40; got 11"),
    ):
        with pytest.raises(ValueError, match=message):
            plotting.sparsity_against_error(scores(), 7, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nonzeros: expected an entry for each of the scores; got none for b"):
        plotting.sparsity_against_error({"a": scores(), "b": scores()}, {"a": 3})


def test_training_is_the_median_over_members():
    upper, lower = plotting.training(history())
    validation, loss = upper.lines
    np.testing.assert_allclose(loss.get_ydata(), 2 / np.arange(1, 9))
    np.testing.assert_allclose(validation.get_xdata(), [2, 4, 6, 8])
    np.testing.assert_allclose(lower.lines[0].get_ydata(), 100 * np.minimum(0.75, 0.1 * np.arange(1, 9)))
    assert legend(upper.figure) == ["validation loss", "training loss", "lowest to highest member"]


def test_trajectories_are_lines_and_inputs_steps():
    axes = plotting.trajectories(data())
    assert [len(ax.lines) for ax in axes] == [3, 3, 3, 3]
    assert axes[3].lines[0].get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(axes[1].lines[2].get_ydata(), data().states[2][:, 1])
    assert legend(axes[0].figure) == ["trajectory first", r"trajectory \$second_", "trajectory _third"]
    (only,) = plotting.trajectories(data(), ["u^{"])
    assert only.get_title(loc="left") == "u^{"
    with pytest.raises(ValueError, match="variables: expected some of"):
        plotting.trajectories(data(), ["v"])


def test_portrait_takes_whatever_holds_paths():
    given = data((40, 40))
    stacked = given.stack()[0]
    coordinates = {"state": list(HOSTILE)}
    for paths in (
        given,
        stacked,
        list(given.states),
        xr.DataArray(stacked[None], dims=("member", "trajectory", "time", "state"), coords=coordinates),
    ):
        ax = plotting.portrait(paths, (0, 2))
        assert len(ax.lines) == 4
        np.testing.assert_array_equal(ax.lines[2].get_xdata(), stacked[1, :, 0])
        np.testing.assert_array_equal(ax.lines[2].get_ydata(), stacked[1, :, 2])
        assert ax.get_xlabel() in (r"\$x_, kg", r"\$x_", "x1")
    blown = plotting.portrait(np.array([[1.0, 1.0], [np.inf, 2.0], [1e9, 3.0]]))
    np.testing.assert_array_equal(blown.lines[0].get_xdata(), [1.0, np.nan, np.nan])
    with pytest.raises(ValueError, match="plane: expected two of"):
        plotting.portrait(given, ("$x_", "y"))


def test_axes_have_units():
    given = Trajectories([np.zeros((3, 2))], dt=1.0, state_names=["mass", "T [degC]"], state_units=["kg*m**-3", "degC"])
    ax = plotting.portrait(given)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mass, kg·m⁻³", "T [degC]")
    assert [one.get_ylabel() for one in plotting.trajectories(given)] == ["kg·m⁻³", "°C"]
    assert [unit_text(unit) for unit in ("m", "m^2", "m**(-12)/h", "m**0.5", "m/s**2")] == [
        "m", "m²", "m⁻¹²/h", "m**0.5", "m/s²",
    ]  # fmt: skip


def test_pareto_rings_what_was_chosen():
    ax = plotting.pareto(PARETO, chosen=sympy.Symbol("$x_"))
    points, ring = ax.collections
    np.testing.assert_allclose(points.get_offsets(), [(1, 0.9), (3, 0.1), (9, 1e-16)])
    np.testing.assert_allclose(ring.get_offsets(), [(3, 0.1)])
    assert [text.get_text() for text in ax.texts] == ["2", r"\$x_", "_a <b>"]
    assert len(plotting.pareto(PARETO).collections) == 1


def test_an_empty_comparison_is_refused():
    with pytest.raises(ValueError, match="at least one entry"):
        plotting.divergence({})


def test_fonts_in_pdf_files_are_those_that_journals_take(monkeypatch: pytest.MonkeyPatch):
    # As in the library: all other tests write quicker ones.
    monkeypatch.setitem(style.STYLE, "pdf.fonttype", 42)
    ((pdf,), (again,)) = (style.render(plotting.pareto(PARETO).figure, "pdf") for _ in range(2))
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert pdf == again


def test_lines_of_graphs_are_as_wide_as_dependence_is_strong():
    strengths = np.asarray([[[0.0, 0.8, 0.05], [0.4, 0.0, 0.2]]] * 2 + [[[np.nan] * 3] * 2])
    ax = plotting.graph(strengths, ("a", "b"), ("u",))
    widths = sorted(line.get_linewidth() for line in ax.patches)
    np.testing.assert_allclose(widths, [7.0 / 4, 7.0 / 2, 7.0])
    assert {"0.80", "0.40", "0.20", "d a/dt", "u"} <= {text.get_text().strip("\u200b") for text in ax.texts}
    assert len(plotting.graph(strengths[:2] > 0.1, ("a", "b"), ("u",)).patches) == 3
    with pytest.raises(ValueError, match="inputs: expected 1 names"):
        plotting.graph(strengths, inputs=("u", "v"))
