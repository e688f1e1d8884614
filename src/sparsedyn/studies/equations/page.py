"""What the report of an experiment is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sparsedyn.studies.equations.files import Stored
from sparsedyn.studies.equations.spec import EquationsSpec
from sparsedyn.studies.page.picture import Picture


@dataclass(frozen=True)
class Material:
    """What is known of a study: its spec, its finished cells, its table, and the seconds that cells took."""

    spec: EquationsSpec
    cells: Sequence[Stored]
    results: pd.DataFrame
    seconds: dict[str, float]


@dataclass(frozen=True)
class Page:
    """An experiment's part of the report: one line on its size, sentences that answer, sections, pictures.

    `size` is plain text, all else HTML. A picture belongs to the section that its `part` names, below its body.
    """

    size: str
    answer: Sequence[str]
    sections: Sequence[tuple[str, str, str]]
    pictures: Sequence[Picture]
    meanings: dict[str, str]
