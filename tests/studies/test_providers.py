"""Studies that packages offer: found by entry point, listed without importing anything heavy."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sparsedyn import studies
from sparsedyn.studies import StudyError, catalogue, list_studies, providers
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.kinds import kind_of
from sparsedyn.studies.providers import GROUP
from sparsedyn.studies.reading import parse
from sparsedyn.studies.toml import to_toml


def point(value: str) -> EntryPoint:
    return EntryPoint("mine", value, GROUP)


def test_this_package_and_the_papers_offer_studies():
    assert {"sparsedyn", "sparsedyn-papers"} <= providers.providers().keys()
    assert list(catalogue.studies()) == sorted(catalogue.studies())
    assert {"aluminum-quick", "haugstvedt2023", "kim2019-table5", "duffing"} <= list_studies().keys()


@pytest.mark.parametrize("name", sorted(catalogue.studies()))
def test_every_built_in_study_is_valid_and_written_and_read_again(name: str):
    spec = studies.load(name)
    assert spec.name == name
    # As text, since published figures may be NaN.
    text = to_toml(spec.resolved())
    assert to_toml(parse(text, "again.toml").resolved()) == text
    told = kind_of(spec).overview(spec)
    assert told.headline
    assert told.lines


def test_built_in_comparisons_keep_their_learning_rate_whatever_the_default_is():
    comparisons = [spec for spec in map(studies.load, catalogue.studies()) if isinstance(spec, StudySpec)]
    assert len(comparisons) == 8
    assert all("learning_rate" in spec.training.model_fields_set for spec in comparisons)


def test_studies_are_listed_without_jax_and_validation():
    code = (
        "import sys\nfrom sparsedyn.studies.catalogue import list_studies\nassert 'aluminum-quick' in list_studies()\n"
        "print([name for name in ('jax', 'numpy', 'pandas', 'pydantic', 'tomlkit') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("sparsedyn_nowhere:STUDIES", r"sparsedyn_nowhere.*cannot be imported \(ModuleNotFoundError.*pip uninstall"),
        ("sparsedyn.studies.providers:GROUP", "expected its entry point 'mine'.*Provider; .* is of the class str"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, value: str, message: str):
    monkeypatch.setattr(providers, "entry_points", lambda group: [point(value)])
    providers.providers.cache_clear()
    with pytest.raises(StudyError, match=message):
        list_studies()
    monkeypatch.undo()
    providers.providers.cache_clear()


def test_a_name_belongs_to_one_study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    package = tmp_path / "other_studies"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "aluminum-quick.toml").write_text('name = "aluminum-quick"')
    monkeypatch.syspath_prepend(tmp_path)
    both = {**providers.providers(), "other": providers.Provider(catalogue="other_studies")}
    monkeypatch.setattr(catalogue, "providers", lambda: both)
    with pytest.raises(StudyError, match=r"aluminum-quick: .* sparsedyn\.studies\.catalogue and other_studies"):
        list_studies()
