"""Studies as pages of the documentation, drawn again from what is stored, without any training."""

from sparsedyn.studies.publish.write import publish

__all__ = ["publish"]
