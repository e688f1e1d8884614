"""The studies, kinds and tables that this package itself provides."""

from sparsedyn.studies.providers import Provider

SPARSEDYN = Provider(
    catalogue="sparsedyn.studies.catalogue",
    kinds={"comparison": "sparsedyn.studies.comparison.kind:COMPARISON"},
)
