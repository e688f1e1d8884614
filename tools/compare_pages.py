"""Compare all numbers of freshly published pages with those that are committed, and print what moved.

    sparsedyn study publish results/* --output /tmp/pages
    python tools/compare_pages.py /tmp/pages                       # with docs/reproduction as it is in git
    python tools/compare_pages.py /tmp/pages docs/reproduction     # with the files of a folder

Numbers are compared row by row of all tables, a row being known by its first entry, and for all text around the tables
together; in which order and in which table they stand does not matter. Durations and versions are left out. Numbers
that a fresh page has in addition are counted only. The exit status is 1 where a number is gone.
"""

import argparse
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

PAGES = "docs/reproduction"
AROUND = "(text)"
DURATION = re.compile(r"\d+ h \d+ min|\d+ min \d+ s|\b\d[\d.,]* (?:s|min|h)\b|With Python [^\n]*")
NUMBER = re.compile(r"(?<![\w.])[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-−+]?\d+)?")
Numbers = dict[str, Counter[str]]


def numbers_of(page: str) -> Numbers:
    """Return the numbers of a page (Markdown, or tables of HTML in it) by the label of their row."""
    text = re.sub(r"```.*?```|<!--.*?-->|!\[.*?\]\([^)]*\)|\]\([^)]*\)", " ", page, flags=re.DOTALL)
    text = re.sub(r"</tr>|<table>|</table>|<p[^>]*>|</p>", "\n", text)
    text = re.sub(r"<t[hd][^>]*>", "|", text)
    text = re.sub(r"</?(?:small|br|code|sup|thead|tbody|tr|th|td|div|h3)[^>]*>", " ", text)
    text = DURATION.sub(" ", text.replace("`", "").replace("*", "").replace("\\", ""))
    found: Numbers = {}
    for line in text.splitlines():
        cells = line.strip().strip("|").split("|") if line.strip().startswith("|") else []
        label = " ".join(cells[0].split()) if cells else AROUND
        own = "|".join(cells[1:]) if cells else line
        found.setdefault(label, Counter()).update(NUMBER.findall(own.replace("–", " ")))
    return found


def gone(old: Numbers, new: Numbers) -> Numbers:
    """Return the numbers of `old` that `new` lacks; one that text and tables exchanged is not gone."""
    spare = sum(new.values(), Counter[str]()) - sum(
        (old[label] & new.get(label, Counter()) for label in old), Counter()
    )
    missing = {}
    for label, numbers in old.items():
        left = numbers - new.get(label, Counter())
        if label == AROUND:
            left, spare = left - spare, spare - left
        if left:
            missing[label] = left
    return missing


def committed(name: str) -> str | None:
    """Return a page as it is in git, None where it is not."""
    done = subprocess.run(["git", "show", f"HEAD:{PAGES}/{name}"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def main() -> int:
    """Compare all pages, and return 1 if a number is gone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fresh", type=Path)
    parser.add_argument("old", type=Path, nargs="?")
    given = parser.parse_args()
    status = 0
    for page in sorted(given.fresh.glob("*.md")):
        file = given.old / page.name if given.old else None
        before = committed(page.name) if file is None else file.read_text("utf-8") if file.is_file() else None
        if before is None:
            print(f"{page.name}: new")
            continue
        old, new = numbers_of(before), numbers_of(page.read_text("utf-8"))
        missing = gone(old, new)
        count = sum(sum(numbers.values()) for numbers in missing.values())
        total, there = (sum(sum(numbers.values()) for numbers in side.values()) for side in (old, new))
        print(f"{page.name}: {total - count} of {total} numbers kept; {there - total + count} more than before")
        for label, numbers in missing.items():
            now = new.get(label, Counter()) - old[label]
            print(f"  {label}: {', '.join(numbers.elements())} -> {', '.join(now.elements()) or 'nothing'}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
