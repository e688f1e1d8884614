"""Open every page that this package makes in Chromium, with names that try to act, and count what they did.

    python tools/names_in_browser.py               # prints a table; the exit status is 1 if anything acted
    python tools/names_in_browser.py --keep pages  # and leaves the pages there

States, inputs, units, trajectories, techniques, titles, claims and files have the names below: the report of a study,
its pages in Markdown, built by MkDocs with the settings of this documentation, and the pages that run a model. All that
can be opened, chosen, sorted, searched for or hovered over is. Needs Chromium and `pip install -e ".[docs,browser]"`.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import tomlkit
from mkdocs.commands.build import build
from mkdocs.config import load_config
from playwright.sync_api import Browser, Page, sync_playwright

from sparsedyn import SINDy, SparseStateSpace, SparseTimeStepper, Trajectories, export, studies, write

NAMES = (
    "<img src=x onerror=alert(1)>",
    "\"><script>document.title='owned'</script>",
    "</script><script>window.owned=1</script>",
    "</title></style></textarea><svg onload=window.owned=1>",
    "javascript:alert(1)",
    "[a](javascript:alert(1))",
    "![a](http://evil.example/x.png)<http://evil.example>",
    "<iframe src=//evil.example></iframe><base href=//evil.example/>",
    "<a href='javascript:alert(1)'>%{x}</a>",
    "x' onmouseover='window.owned=1",
    r"$\input{x}$ \(\href{javascript:alert(1)}{x}\)",
    '=HYPERLINK("http://evil.example","x")',
    "{{ 7*7 }} ${owned=1} {: onclick=alert(1) }",
)
INPUTS, UNIT = NAMES[:3], "</td><img src=x onerror=alert(2)>"
ACTIVE = """() => {
  const found = window.owned !== undefined || document.title === "owned" ? ["a script ran"] : [];
  for (const one of document.querySelectorAll("*"))
    for (const {name, value} of one.attributes) {
      const acts = /^on/i.test(name) && /alert|owned/.test(value);
      const leads = /^(href|src|action|formaction|xlink:href|data)$/i.test(name)
        && /^\\s*(javascript:|\\/\\/evil)/i.test(value);
      if (acts || leads) found.push(`${one.tagName} ${name}=${value}`);
    }
  return found;
}"""
SHOWN = """() => {
  const copy = document.documentElement.cloneNode(true);
  for (const one of copy.querySelectorAll("script, style")) one.remove();
  return copy.textContent.replace(/\\s+/g, " ");
}"""


class Seen(NamedTuple):
    """What came of opening a page, or several."""

    what: str
    names: int
    dialogs: list[str]
    active: list[str]
    asked: list[str]
    errors: list[str]

    @property
    def bad(self) -> list[str]:
        """All that should not be."""
        return [*self.dialogs, *self.active, *self.asked, *self.errors]

    def text(self) -> str:
        """Return the row in Markdown."""
        counts = (self.names, *map(len, (self.dialogs, self.active, self.asked, self.errors)))
        return f"| {self.what} | {' | '.join(map(str, counts))} |"


def main() -> int:
    """Make all pages, open them, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the pages there")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        room = Path(place) if keep is None else keep.resolve()
        room.mkdir(parents=True, exist_ok=True)
        pages = made(room)
        found = shutil.which("chromium") or shutil.which("google-chrome")
        # Chromium has no sandbox for root.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        print("| pages | names shown | dialogs | active | other hosts | errors |")
        print("|---|---:|---:|---:|---:|---:|", flush=True)
        bad = []
        # Browsers ask for it.
        (room / "favicon.ico").touch()
        with served(room) as address:
            for what, files in pages.items():
                seen = opened(browser, what, [f"{address}/{file.relative_to(room).as_posix()}" for file in files])
                print(seen.text(), flush=True)
                bad += seen.bad
        browser.close()
    print("\n".join(bad), file=sys.stderr)
    return 1 if bad else 0


def made(room: Path) -> dict[str, list[Path]]:
    """Make all pages; return their files by what they are."""
    data = recorded()
    report = study(room, data)
    return {
        "report of a study, with charts": [report],
        "pages of a study and of claims, by MkDocs": site(room, report.parent),
        "page that runs a model (`explore`)": list(explored(room, data)),
        "JavaScript of a model (`to_javascript`)": [scripted(room, data)],
    }


def recorded(names: Sequence[str] = NAMES) -> Trajectories:
    """Return slow random waves of states with these names, in as many trajectories as there are names."""
    rng, time = np.random.default_rng(0), np.linspace(0, 6, 60)
    phases = rng.uniform(0, 6, (len(NAMES), 1, len(names)))
    states = np.sin(time[None, :, None] + phases) + 0.01 * rng.normal(size=(len(NAMES), 60, len(names)))
    inputs = rng.normal(size=(len(NAMES), 60, len(INPUTS)))
    return Trajectories(
        states, inputs, dt=0.1, state_names=names, input_names=[f"u {name}" for name in INPUTS], labels=NAMES,
        state_units=[UNIT] * len(names), attrs={UNIT: UNIT},
    )  # fmt: skip


def study(room: Path, data: Trajectories) -> Path:
    """Run a study of these data, with such names for all that its spec names, and return the report."""
    file = room / f"{NAMES[0]}.npz"
    write(data, file)
    few = {"source": NAMES[1], "horizons": [20], "rows": [{"cell": NAMES[0], "diverged": [1.0], "rfmse": [0.5]}]}
    spec = {
        "name": "names",
        "title": " ".join(NAMES),
        "description": "\n\n".join(NAMES),
        "horizons": [10, 20],
        "data": {"files": [str(file)], "train": 4, "validation": 2, "test": 4},
        "model": {"hidden": [4]},
        "training": {"members": 2, "epochs": 1, "batch": 64},
        "forecast": {"fan_trajectories": 2, "points": 20},
        "techniques": [{"label": name} for name in NAMES],
        "published": {**few, "notes": "\n\n".join(NAMES)},
        "panels": [{"title": name, "figure": name, "cells": list(NAMES[:3])} for name in NAMES[:2]],
        "claims": [
            {"source": name, "claim": name, "comparisons": [{"lower": NAMES[0], "higher": name, "metric": "error"}]}
            for name in NAMES[1:]
        ],
    }
    path = room / "names.toml"
    path.write_text(tomlkit.dumps(spec), encoding="utf-8")
    return studies.run(studies.load(str(path)), room / "study")


def site(room: Path, directory: Path) -> list[Path]:
    """Publish a study, build a site of its pages with the settings of the documentation, and return its pages."""
    pages, built = room / "markdown", room / "site"
    studies.publish([directory], pages, tell=lambda _: None)
    settings = str(Path(__file__).parents[1] / "mkdocs.yml")
    # Without a navigation of its own, a site takes the titles of pages.
    options = {"nav": [], "not_in_nav": "", "plugins": ["search"]}
    build(load_config(settings, docs_dir=str(pages), site_dir=str(built), **options))
    return [built / page.stem / "index.html" for page in sorted(pages.glob("*.md"))]


def explored(room: Path, data: Trajectories) -> Iterator[Path]:
    """Yield the pages that run a network, an equation and a state space."""
    few = recorded(NAMES[:3])
    for model, known in (
        (SparseTimeStepper((4,), members=2, epochs=1, select="last"), data),
        (SINDy(degree=1, threshold=0.1, weak=False), data),
        (SparseStateSpace(2, units="none"), few),
    ):
        model.fit(known)
        path = room / f"{type(model).__name__}.html"
        path.write_text(export.explore(model, known, title=" ".join(NAMES), check_units=False), encoding="utf-8")
        yield path


def scripted(room: Path, data: Trajectories) -> Path:
    """Return a page that has the JavaScript of a model within its own and shows the names in it as text."""
    code = export.to_javascript(SINDy(degree=1, threshold=0.1, weak=False).fit(data))
    show = "document.body.textContent = sparsedyn.states.map(one => one.name).join(' ');"
    path = room / "javascript.html"
    path.write_text(f"<!doctype html><body><script>{code}\n{show}</script></body>", encoding="utf-8")
    return path


@contextmanager
def served(room: Path) -> Iterator[str]:
    """Serve a folder on this machine, and yield the address; the search of a site needs a server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=room))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def opened(browser: Browser, what: str, addresses: list[str]) -> Seen:
    """Open pages, use what is on them, and return what was seen in all together."""
    seen = Seen(what, 0, [], [], [], [])
    shown = ""
    for address in addresses:
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.on("dialog", lambda one: (seen.dialogs.append(f"{what}: dialog {one.message}"), one.dismiss()))
        page.on("pageerror", lambda one: seen.errors.append(f"{what}: {one}"))
        page.on("console", lambda one: seen.errors.append(f"{what}: {one.text}") if one.type == "error" else None)
        page.on(
            "request",
            lambda one: (
                None
                if one.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
                else seen.asked.append(f"{what}: {one.url}")
            ),
        )
        page.goto(address)
        used(page)
        shown += page.evaluate(SHOWN)
        seen.active.extend(f"{what}: {one}" for one in page.evaluate(ACTIVE))
        page.close()
    return seen._replace(names=sum(name in shown for name in NAMES))


def used(page: Page) -> None:
    """Open, choose, sort, search for and hover over what is on a page."""
    page.wait_for_timeout(500)
    page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    for select in page.locator("select:visible").all():
        for number in range(min(3, select.locator("option").count())):
            select.select_option(index=number)
    for button in page.locator("th button:visible").all():
        button.click()
    for chart in page.locator(".js-plotly-plot:visible").all():
        chart.scroll_into_view_if_needed()
        for number in range(min(2, chart.locator(".updatemenu-button, .updatemenu-header").count())):
            chart.locator(".updatemenu-button, .updatemenu-header").nth(number).click(force=True)
            page.wait_for_timeout(200)
        box = chart.bounding_box()
        for part in np.linspace(0.05, 0.95, 19):
            page.mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
            page.wait_for_timeout(30)
    for field in page.locator("input[name=query]:visible").all():
        for name in ("alert", "owned", "evil"):
            field.fill(name)
            page.wait_for_timeout(700)
    page.wait_for_timeout(300)


if __name__ == "__main__":
    sys.exit(main())
