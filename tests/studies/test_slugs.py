"""Names of folders."""

import pytest

from sparsedyn.studies.slugs import slug_of


@pytest.mark.parametrize(
    ("label", "slug"),
    [("Magnitude 75 %", "magnitude-75"), ("../..", "cell"), ("x" * 300, "x" * 200), ("y" * 199 + " z", "y" * 199)],
)
def test_names_of_folders_are_short_and_plain(label: str, slug: str):
    assert slug_of(label) == slug
