"""Shares that others reported, shown beside ours."""

from typing import Annotated

from pydantic import Field

from sparsedyn.studies.spec import Table, Word

Share = Annotated[float, Field(ge=0, le=1)]


class PublishedShares(Table):
    """What a method reached at a level of noise: shares by the names of measures."""

    method: Word
    noise: Annotated[float, Field(ge=0)] = 0.0
    shares: dict[str, Share]
