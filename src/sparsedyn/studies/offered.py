"""What this package itself offers to studies, like any other one."""

from sparsedyn.studies.providers import Provider

SPARSEDYN = Provider(
    catalogue="sparsedyn.studies.catalogue",
    kinds={"comparison": "sparsedyn.studies.comparison.kind:COMPARISON"},
)
