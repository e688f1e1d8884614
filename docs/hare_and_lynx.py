"""Run docs/tutorials/hare-and-lynx.md: its code, block by block; write what it prints, and store its pictures."""

import contextlib
import io
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("tutorials") / "hare-and-lynx.md"
PICTURES = Path(__file__).with_name("images") / "hare-and-lynx"
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?P<output>\n```\n.*?^```\n)?", re.DOTALL | re.MULTILINE)


def run(text: str, namespace: dict[str, Any]) -> str:
    """Run the code of a page in the present folder; return the page with what each block printed below it."""

    def printed(block: re.Match[str]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(compile(block["code"], str(PAGE), "exec"), namespace)
        lines = "".join(f"{line.rstrip()}\n" for line in said.getvalue().splitlines())
        return f"```python\n{block['code']}```\n" + (f"\n```\n{lines}```\n" if lines else "")

    return BLOCK.sub(printed, text)


def main() -> None:
    """Run the page in a temporary folder, write its outputs into it, and store its pictures."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        text = run(PAGE.read_text(encoding="utf-8"), {})
        PAGE.write_text(text, encoding="utf-8")
        PICTURES.mkdir(parents=True, exist_ok=True)
        for name in ("fit.png", "next.png"):
            shutil.copy(name, PICTURES / name)


if __name__ == "__main__":
    main()
