"""What this package itself offers to studies, like any other one."""

from sparsedyn.studies.providers import Provider

SPARSEDYN = Provider(catalogue="sparsedyn.studies.catalogue")
