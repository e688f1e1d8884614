"""Studies of SINDy autoencoders: what the truth says of equations, and whole studies in small, stopped and resumed."""

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import studies
from sparsedyn.models import Library
from sparsedyn.studies import publish
from sparsedyn.studies.cell_files import stored_cells
from sparsedyn.studies.cells import CellFiles
from sparsedyn.studies.events import CellProgress
from sparsedyn.studies.reading import parse
from sparsedyn.studies.runner import run_as
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.autoencoders.cells import cells_of
from sparsedyn_papers.autoencoders.kept import kept
from sparsedyn_papers.autoencoders.kind import kind
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec

CUBIC = Library(3, 3)
TOML = """
kind = "autoencoders"
name = "tiny"
title = "A study of seconds"

[data]
system = "lifted-lorenz"
train = 6
test = 3
out_of_distribution = 1.5
settings = { steps = 40, dimension = 12 }

[model]
widths = [6]

[training]
members = 1
recipe = "as-published"
batch = 40
epochs = 4
every = 2
refinement = 2

[[cells]]
label = "noise-free"

[[cells]]
label = "1 % noise"
noise = 0.01
"""

# What is replaced in the study above, by what, the line that the message must name, words it must hold.
BAD = {
    "kind": ('"autoencoders"', '"autoencoder"', 2, ("Did you mean 'autoencoders'?",)),
    "system": ('"lifted-lorenz"', '"lorenz"', 7, ("data.system", "expected one of lifted-lorenz")),
    "no count": ("train = 6\n", "", 6, ("data.train", "missing")),
    "share": ("train = 6", "train = 6\nshare = 0.8", 9, ("data.share", "is not for lifted-lorenz")),
    "setting": ("dimension = 12", "dimensions = 12", 11, ("data.settings.dimensions", "Did you mean 'dimension'?")),
    "other system": ('"lifted-lorenz"', '"pendulum-video"', 11, ("expected settings among steps, dt, noise",)),
    "recipe": (
        '"as-published"',
        '"published"',
        18,
        ("training.recipe", "expected one of default, geodesic, as-published"),
    ),
    "two variables": (
        '"as-published"\nbatch = 40\nepochs = 4\nevery = 2\nrefinement = 2',
        '"geodesic"',
        20,
        ('recipe = "geodesic" needs latent = 1; got 3',),
    ),
    "other recipe": ('recipe = "as-published"\n', "", 18, ("training.batch", 'is for recipe = "as-published"')),
    "labels": ('"1 % noise"', '"noise-free"', 28, ("cells[2].label", "labels that differ")),
    "both": ("[[cells]]", '[grid]\n"model.latent" = [1]\n[[cells]]', 24, ("either [[cells]] or a [grid]",)),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_line(name: str):
    old, new, line, words = BAD[name]
    with pytest.raises(studies.StudyError) as caught:
        parse(TOML.replace(old, new, 1) if name != "labels" else TOML.replace(old, new), "tiny.toml")
    message = str(caught.value)
    assert f"line {line}," in message
    for word in words:
        assert word in message


def test_the_grid_of_the_blog_has_72_cells():
    spec = studies.load("delft2024-grid")
    assert isinstance(spec, AutoencodersSpec)
    cells = cells_of(spec)
    assert len(cells) == len({cell.slug for cell in cells}) == 72
    assert {(c.model.latent, c.training.batch, c.model.widths) for c in cells} >= {
        (6, 32, (64, 32, 16)),
        (1, 128, (64,)),
    }
    text = spec.resolved()
    assert AutoencodersSpec.model_validate(text).resolved() == text
    seeds = AutoencodersSpec.model_validate(text | {"seeds": [0, 1]})
    assert len(cells_of(seeds)) == 144


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
    dotted: Callable[[], AbstractContextManager[None]],
    hasty_readings: None,
) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch, dotted():
        patch.setenv("SPARSEDYN_CACHE", str(folder / "cache"))
        studies.run(parse(TOML, "tiny.toml"), folder / "whole")
    return folder


@pytest.mark.slow
def test_a_study_is_stored_and_reported(finished: Path):
    folder = finished / "whole"
    results = pd.read_parquet(folder / "results.parquet")
    assert list(results["cell"]) == ["noise-free", "1 % noise"]
    assert not results["right"].any()
    assert (results[["decoder_test", "derivative_test", "latent_beyond"]] > 0).all(axis=None)
    page = (folder / "report.html").read_text()
    assert "Champion et al. 2019, model 1" in page
    assert page.count("<figure>") == len(list(folder.glob("figures/*.png"))) == len(list(folder.glob("figures/*.pdf")))
    assert not (folder / "groups").exists()
    facts = json.loads((folder / "cells/01-noise-free/cell.json").read_text())
    assert facts["attractor"]["lyapunov"] == pytest.approx(0.9, abs=0.2)


@pytest.mark.slow
@pytest.mark.usefixtures("coarse")
def test_a_report_is_drawn_the_same_again(finished: Path, tmp_path: Path):
    folders = [shutil.copytree(finished / "whole", tmp_path / name) for name in ("once", "again")]
    for folder in folders:
        studies.report(folder)
    # The page itself tells the time that the study took, of which the first report was a part.
    once, again = ({figure.name: figure.read_bytes() for figure in folder.glob("figures/*")} for folder in folders)
    assert once == again


@pytest.mark.slow
@pytest.mark.usefixtures("coarse")
def test_a_study_is_published_from_what_is_kept(finished: Path, tmp_path: Path):
    written = publish([finished / "whole"], tmp_path / "pages", results=tmp_path / "kept")
    page = (tmp_path / "pages/tiny.md").read_text()
    assert "## The equations" in page
    assert "sparsedyn study run tiny.toml" in page
    pictures = [path for path in written if path.suffix == ".png"]
    assert len(pictures) == page.count("](tiny/") // 2 == len(list((finished / "whole/figures").glob("*.png")))
    kept = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 300_000
    again = publish([tmp_path / "kept/tiny"], tmp_path / "again", results=tmp_path / "rekept")
    assert page == (tmp_path / "again/tiny.md").read_text()
    for path in pictures:
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "pages")).read_bytes()
    for path in kept:
        assert path.read_bytes() == (tmp_path / "rekept" / path.relative_to(tmp_path / "kept")).read_bytes()
    assert again[0].name == "tiny.md"


@pytest.mark.slow
def test_of_a_grid_only_what_is_drawn_is_kept(finished: Path):
    whole = parse(TOML, "tiny.toml")
    grid = parse(TOML.partition("[[cells]]")[0] + '[grid]\n"model.widths" = [[6], [5]]\n', "tiny.toml")
    assert isinstance(whole, AutoencodersSpec)
    assert isinstance(grid, AutoencodersSpec)
    cells = stored_cells(Store(finished / "whole"), CellFiles(), cells_of(whole))
    of_grid = kept(StoredStudy(grid, {}, cells, pd.DataFrame())).cells
    assert [cell.facts for cell in of_grid] == [cell.facts for cell in cells]
    assert sorted(bool(cell.arrays) for cell in of_grid) == [False, True]
    of_list = kept(StoredStudy(whole, {}, cells, pd.DataFrame())).cells
    assert all("latent" not in cell.arrays and cell.arrays["truth"].dtype == np.float32 for cell in of_list)


@pytest.mark.slow
@pytest.mark.usefixtures("dotted_reports")
def test_a_stopped_study_goes_on_to_the_same_bits(finished: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARSEDYN_CACHE", str(finished / "cache"))
    spec = parse(TOML, "tiny.toml")
    assert isinstance(spec, AutoencodersSpec)

    def stop_in_the_second_phase(event: studies.Event) -> None:
        if isinstance(event, CellProgress) and event.number == 2 and "phase 2 of 2, step 4" in event.remark:
            raise KeyboardInterrupt

    target = finished / "stopped"
    with pytest.raises(studies.StudyInterrupted, match="with 1 of 2 cells finished"):
        run_as(kind(every=0.0), spec, target, on_event=stop_in_the_second_phase)
    assert len(list(target.glob("groups/*.safetensors"))) == 2
    other = AutoencodersSpec.model_validate(spec.resolved() | {"seed": 1})
    with pytest.raises(studies.StudyError, match="differs in seed"):
        run_as(kind(), other, target)
    studies.resume(target)
    for file in ("results.parquet", "cells/01-noise-free/arrays.npz", "cells/02-1-noise/arrays.npz"):
        assert (target / file).read_bytes() == (finished / "whole" / file).read_bytes()
    assert not (target / "groups").exists()


@pytest.mark.parametrize(
    ("training", "tables", "place"),
    [
        ('recipe = "geodesic"', '[grid]\n"model.latent" = [1, 2]', "grid.model.latent"),
        ("", '[search]\ntrials = 2\n[search.space]\n"training.recipe" = ["default", "geodesic"]', "training.recipe"),
    ],
)
def test_a_recipe_for_one_variable_is_refused_wherever_more_are_tried(training: str, tables: str, place: str):
    head = 'kind = "autoencoders"\nname = "odd"\ntitle = "Odd"\n[data]\nsystem = "lifted-lorenz"\ntrain = 4\ntest = 2\n'
    with pytest.raises(studies.StudyError, match=r'"geodesic" needs latent = 1; got [23]') as error:
        parse(f"{head}[training]\n{training}\n{tables}\n", "odd.toml")
    assert place in str(error.value).replace('"', "")
