"""Warnings of the package are remarks to whoever types commands; others stay what they are."""

import warnings

import pytest

from sparsedyn import SparsedynWarning
from sparsedyn.cli.errors import guarded


@guarded
def command(*, quiet: bool = False) -> None:
    warnings.warn("Something needs attention: take gaps='cut' (--gaps cut).", SparsedynWarning, stacklevel=1)


@guarded
def other() -> None:
    warnings.warn("Something else.", UserWarning, stacklevel=1)


def test_warnings_of_the_package_are_remarks(capsys: pytest.CaptureFixture[str]):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        command()
        assert capsys.readouterr().err == "Something needs attention: take --gaps cut.\n"
        command(quiet=True)
        assert capsys.readouterr().err == ""


def test_other_warnings_are_shown_as_ever():
    with pytest.warns(UserWarning, match=r"^Something else\.$"):
        other()
