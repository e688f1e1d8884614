"""What papers add to comparisons."""

from collections.abc import Sequence

from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.comparison.document import Addition
from sparsedyn.studies.document import Section
from sparsedyn_papers.claims.section import claims_sections
from sparsedyn_papers.claims.verdicts import check_claims
from sparsedyn_papers.comparisons.panels import forecasts_shown, panel_sections
from sparsedyn_papers.comparisons.published import published_sections
from sparsedyn_papers.tables import TABLES


def _sections(contents: Contents) -> Sequence[Section]:
    return [*published_sections(contents), *panel_sections(contents), *claims_sections(contents)]


PAPERS = Addition(tables=TABLES, check=check_claims, sections=_sections, shown=forecasts_shown)
