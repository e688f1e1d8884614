"""Run docs/tutorials/raw-log.md: write its log, give its commands, and store the pictures that they make."""

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).with_name("tutorials") / "raw-log.md"
PICTURES = Path(__file__).with_name("images") / "raw-log"
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^```\n(sparsedyn .*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> list[str]:
    """Return the code of the page: what writes the log, and what reads it in Python."""
    return CODE.findall(PAGE.read_text(encoding="utf-8"))


def commands(page: Path = PAGE) -> list[list[str]]:
    """Return the commands of a page, without the name of the program."""
    found = COMMAND.findall(page.read_text(encoding="utf-8"))
    lines = [line for text in found for line in text.replace("\\\n", " ").splitlines()]
    return [shlex.split(line)[1:] for line in lines]


def run(arguments: Sequence[str]) -> None:
    """Give a command; an exit code other than 0 raises."""
    from typer.testing import CliRunner

    from sparsedyn.cli import app

    result = CliRunner().invoke(app, list(arguments))
    if result.exit_code:
        sys.exit(result.output)
    print(result.output)


def main() -> None:
    """Run the page in a temporary folder and store its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec(compile(blocks()[0], str(PAGE), "exec"), {})
        for arguments in commands():
            run(arguments)
        PICTURES.mkdir(parents=True, exist_ok=True)
        shutil.copy("pictures/columns.png", PICTURES / "columns.png")
        shutil.copy("forecast/forecast-0.4.png", PICTURES / "forecast.png")
        exec(compile(blocks()[1], str(PAGE), "exec"), {})
        os.chdir(PAGE.parent)


if __name__ == "__main__":
    main()
