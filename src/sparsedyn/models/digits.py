"""Two images, one encoder for both, and an equation of the two numbers that they are encoded as."""

from jaxtyping import Array, Float, PyTree

from sparsedyn.models.base import AbstractModel, flags_of
from sparsedyn.models.convolution import Encoder

MIDDLE = 9.0
"""Sums of two digits lie in 9 ± 9: the head computes in units of that."""


class DigitSum(AbstractModel):
    """`9 head(z1, z2) + 9` of the encoded images `z1`, `z2`; techniques act on the head alone.

    Source: Kim et al. 2019, section III-B.
    """

    encoder: Encoder
    head: AbstractModel

    def __call__(
        self, x: Float[Array, "row column channel"], u: Float[Array, "row column channel"]
    ) -> Float[Array, " 1"]:
        """Return the sum of the digits on the images `x` and `u`."""
        return self.combined(self.encoder(x), self.encoder(u))

    def combined(self, first: Float[Array, " 1"], second: Float[Array, " 1"]) -> Float[Array, " 1"]:
        """Return the sum that belongs to two encoded images."""
        return MIDDLE * self.head(first, second) + MIDDLE

    def sparse_part(self) -> PyTree[bool]:
        """Flag what the head flags."""
        return flags_of(self, lambda model: model.head)
