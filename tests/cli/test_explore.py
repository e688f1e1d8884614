"""`sparsedyn explore`: a model file and recorded trajectories as a page."""

import json
from pathlib import Path


def test_a_page_is_written(run, model: Path, table: Path, tmp_path: Path):
    page = tmp_path / "prey.html"
    result = run("explore", model, table, "-o", page, "--only", "0,1", "--title", "Prey & predators", "--json")
    assert result.exit_code == 0, result.stderr
    text = page.read_text()
    facts = json.loads(result.stdout)
    assert facts == {"file": str(page), "model": str(model), "trajectories": 2, "bytes": len(text.encode())}
    assert "<title>What if: Prey &amp; predators</title>" in text
    assert run("explore", model, table, "-o", page).exit_code == 2


def test_a_file_that_does_not_fit_is_said(run, model: Path, table: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    result = run("explore", model, table, "-o", page, "--inputs", "")
    assert result.exit_code == 3
    assert "expected" in result.stderr
    assert not page.exists()
