"""`sparsedyn study publish`: pages of a finished study from the command line."""

import json

import pytest

from sparsedyn.studies.document import writing


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Leave pictures empty, which take most of the time."""
    monkeypatch.setattr(writing, "drawn", lambda picture: b"")


@pytest.mark.slow
def test_publish_prints_what_it_wrote(run, finished, tmp_path):
    result = run("study", "publish", finished[0], "--output", tmp_path / "pages", "--keep", tmp_path / "kept")
    assert result.exit_code == 0, result.stderr
    written = result.stdout.split()
    there = [str(path) for folder in ("pages", "kept") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    assert sorted(written) == sorted(there)
    assert str(tmp_path / "pages" / "tiny.md") in written
    assert str(tmp_path / "kept" / "tiny" / "results.parquet") in written


@pytest.mark.slow
def test_publish_as_json(run, finished, tmp_path):
    result = run("study", "publish", finished[0], "-o", tmp_path, "--json")
    assert str(tmp_path / "claims.md") in json.loads(result.stdout)["written"]


def test_publish_of_no_study_is_one_clear_message(run, tmp_path):
    result = run("study", "publish", tmp_path, "-o", tmp_path / "pages")
    assert result.exit_code == 4
    assert "there is no study.toml in it" in result.stderr
    assert not (tmp_path / "pages").exists()


def test_publish_needs_a_folder(run):
    result = run("study", "publish")
    assert result.exit_code == 2
    assert "DIR" in result.stderr
