"""The progress bar: what it says, and that it keeps quiet where nobody looks."""

import pytest

from sparsedyn.estimators import describe, progress_bar
from sparsedyn.training import Progress

HALFWAY = Progress(step=50, steps=100, loss=0.01234, validation=0.5, sparsity=0.75, alive=9, members=10)


def test_one_line_says_it_all():
    assert describe(HALFWAY) == "loss 0.0123  validation 0.5  zeros 75 %  9/10 alive"
    assert "validation" not in describe(HALFWAY._replace(validation=float("nan")))


def test_nobody_looks(capsys: pytest.CaptureFixture[str]):
    for show in (False, None):
        with progress_bar("training", show) as update:
            assert update is None
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_standard_error(capsys: pytest.CaptureFixture[str]):
    with progress_bar("training", show=True) as update:
        assert update is not None
        update(HALFWAY)
        update(HALFWAY._replace(step=100))
    out, err = capsys.readouterr()
    assert out == ""
    assert "training" in err
    assert "100 %" in err
