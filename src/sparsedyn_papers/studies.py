"""What the papers offer to studies."""

from sparsedyn.studies.providers import Provider

PAPERS = Provider(catalogue="sparsedyn_papers")
