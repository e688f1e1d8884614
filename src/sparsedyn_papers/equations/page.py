"""What the pages of experiments are made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sparsedyn.studies.cell_files import Stored
from sparsedyn_papers.equations.spec import EquationsSpec


@dataclass(frozen=True)
class Material:
    """What is known of a study: its spec, its finished cells, its table, and the seconds that cells took."""

    spec: EquationsSpec
    cells: Sequence[Stored]
    results: pd.DataFrame
    seconds: dict[str, float]
