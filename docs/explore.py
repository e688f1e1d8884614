"""Run the commands of docs/guides/explore.md, draw on the page that they make, and store a picture of it.

Needs Chromium and `pip install -e ".[browser]"`.
"""

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import raw_log
from PIL import Image
from playwright.sync_api import sync_playwright

PAGE = Path(__file__).with_name("guides") / "explore.md"
PICTURE = Path(__file__).with_name("images") / "explore.png"
COLORS = 64


def drawn_on(page: Any) -> None:
    """Draw a harvest that rises, then ends."""
    page.select_option("#input-0-kind", "drawn")
    for numbers in ((1, 4, 0.05, 0.45), (4, 10, 0.05, 0.05)):
        for what, value in zip(("from", "to", "first", "last"), numbers, strict=True):
            page.fill(f"#input-0-{what}", str(value))
        page.click(".stretch button")
    page.fill("#time", "150")
    page.wait_for_selector("#main[aria-busy=false]")


def main() -> None:
    """Run the page's commands in a temporary folder and store the picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.chdir(folder)
        for arguments in raw_log.commands(PAGE):
            raw_log.run(arguments)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 760}, color_scheme="light")
        page.goto(Path("prey.html").resolve().as_uri())
        drawn_on(page)
        whole = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        whole.quantize(COLORS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
        browser.close()
        os.chdir(PAGE.parent)


if __name__ == "__main__":
    main()
