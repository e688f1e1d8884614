"""The page in headless Chromium: sliders, drawn profiles, downloads and keyboards, against `simulate`."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import export

from .made import exact, sindy, state_space, stepper
from .test_explore import INPUT, ROWS, STATES, data_of, hostile

pytestmark = pytest.mark.slow
Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a model; at the end, nothing was asked of a network, and no script failed."""
    problems: list[str] = []
    requests: list[str] = []
    pages = []

    def open_page(model: Any, data: Any, width: int = 1300, **options: Any) -> Any:
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(export.explore(model, data, check_units=False), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("dialog", lambda dialog: problems.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        pages.append(page)
        return settled(page)

    yield open_page
    for page in pages:
        page.close()
    assert problems == []
    assert [url for url in requests if not url.startswith(("file:", "blob:"))] == []


def settled(page: Any) -> Any:
    """The page, once it has computed."""
    page.wait_for_selector("#main[aria-busy=false]")
    return page


def downloaded(page: Any) -> pd.DataFrame:
    """The scenario as CSV."""
    settled(page)
    with page.expect_download() as waiting:
        page.click("#download")
    assert waiting.value.suggested_filename == "scenario.csv"
    return pd.read_csv(io.BytesIO(Path(waiting.value.path()).read_bytes()))


def curve(page: Any, state: int = 0) -> str:
    """The path of a state's forecast."""
    return page.locator("#states .forecast").nth(state).get_attribute("d")


def assert_simulated(model: Any, table: pd.DataFrame, start: Any, **further: Any) -> None:
    """The forecasts of a scenario are those of `simulate` under its inputs."""
    inputs = table[list(model.input_names_)].to_numpy()
    expected = np.asarray(model.simulate(start, len(table), inputs, **further))
    middle = np.median(expected, axis=0) if expected.ndim == 3 else expected
    np.testing.assert_allclose(table[list(model.state_names_)], middle, rtol=1e-5)


def test_a_slider_a_drawing_and_a_start_are_simulated(opened: Open):
    model = exact(stepper(members=3))
    data = data_of(model)
    page = opened(model, data)
    before, first = curve(page), downloaded(page)
    assert_simulated(model, first, data.states[0][0])
    np.testing.assert_allclose(first["feed"], data.inputs[0][:, 0], rtol=1e-9)
    np.testing.assert_allclose(first["level recorded"], data.states[0][:, 0], rtol=1e-9)

    for _ in range(10):
        page.press("#input-0-slider", "ArrowRight")
    shifted = downloaded(page)
    np.testing.assert_allclose(shifted["feed"] - first["feed"], float(page.input_value("#input-0")), rtol=1e-6)
    assert float(page.input_value("#input-0")) > 0
    assert_simulated(model, shifted, data.states[0][0])
    assert curve(page) != before

    page.select_option("#trajectory", "1")
    page.select_option("#input-0-kind", "drawn")
    box = page.locator("#inputs .chart").bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 60, steps=5)
    page.mouse.up()
    drawn = downloaded(page)
    changed = np.flatnonzero(~np.isclose(drawn["feed"], data.inputs[1][:, 0]))
    assert len(changed) > ROWS // 3
    # Down along a line, each row a little lower.
    assert (np.diff(drawn["feed"][changed[1:-1]]) < 0).all()
    assert_simulated(model, drawn, data.states[1][0])

    page.fill("#start-1", "1205.5")
    page.fill("#horizon", "70")
    longer = downloaded(page)
    assert len(longer) == 70
    assert_simulated(model, longer, [data.states[1][0, 0], 1205.5])
    page.locator("#time").fill("69")
    assert float(page.locator("#values tbody td").first.inner_text()) == pytest.approx(longer["level"].iloc[69], 1e-5)
    page.click("#reset")
    assert_simulated(model, downloaded(page), data.states[1][0])


def test_a_keyboard_is_enough(opened: Open):
    model = sindy(1, time="discrete", c1_0=0.9, c2_0=0.1, c0_1=0.1, c2_1=0.7, c3_1=0.3)
    data = data_of(model)
    page = opened(model, data)
    page.focus("#input-0-kind")
    page.keyboard.type("Drawn")
    settled(page)
    for text in ("0.5", "1", "0.2", "0.4"):
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.closest('.stretch') === null"):
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    table = downloaded(page)
    np.testing.assert_allclose(table["feed"][5:11], np.linspace(0.2, 0.4, 6), rtol=1e-9)
    assert_simulated(model, table, data.states[0][0])


def test_latent_states_are_set(opened: Open):
    model = state_space()
    data = data_of(model)
    page = opened(model, data)
    start = [float(page.input_value(f"#start-{i}")) for i in range(2)]
    page.fill("#start-0", str(start[0] + 0.1))
    assert_simulated(model, downloaded(page), [start[0] + 0.1, start[1]], latent=True)


@pytest.mark.parametrize("options", [{"color_scheme": "light"}, {"color_scheme": "dark", "width": 390}], ids=str)
def test_accessibility_has_no_serious_finding(opened: Open, options: dict[str, Any]):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    model = stepper(members=2)
    model.calibrate(data_of(model, 10), check_units=False)
    page = opened(model, data_of(model), **options)
    page.select_option("#input-0-kind", "drawn")
    page.fill("#input-0", "5")
    settled(page)
    assert page.inner_text("#flag").startswith("Outside the training domain")
    found = axe.run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("#states .outside").count()


def test_a_theme_can_be_chosen(opened: Open):
    model = sindy(1, time="discrete", c1_0=0.9)
    page = opened(model, data_of(model), color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.select_option("#theme", "dark")
    assert page.evaluate(paper) != light


def test_hostile_names_do_nothing(opened: Open):
    model, data = hostile()
    page = opened(model, data)
    page.fill("#input-0", "3")
    table = downloaded(page)
    assert list(table.columns[:3]) == ["time", f"'{INPUT}", STATES[0]]
    texts = page.locator("#states figcaption").all_inner_texts()
    assert texts == [f"{STATES[0]} (</style>)", f"{STATES[1]} (*/)"]
    assert page.locator("img").count() == 0
