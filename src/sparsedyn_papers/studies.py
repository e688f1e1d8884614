"""What the papers offer to studies."""

from sparsedyn.studies.providers import Provider

PAPERS = Provider(
    catalogue="sparsedyn_papers",
    kinds={
        "equations": "sparsedyn_papers.equations.kind:EQUATIONS",
        "odes": "sparsedyn_papers.odes.kind:ODES",
        "laws": "sparsedyn_papers.laws.kind:LAWS",
        "autoencoders": "sparsedyn_papers.autoencoders.kind:AUTOENCODERS",
    },
    addition="sparsedyn_papers.comparisons.addition:PAPERS",
    pages={"claims": "sparsedyn_papers.claims.page:overview"},
)
