"""Changes of coordinates: the same dynamics in other latent variables, and those in which the equation is simplest."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from sparsedyn.models import Library, contributions

Numbers = Float[np.ndarray, "term latent"]


@dataclass(frozen=True)
class Affine:
    """New variables `w = matrix z + offset`."""

    matrix: Float[np.ndarray, "latent latent"]
    offset: Float[np.ndarray, " latent"]

    def __call__(self, values: Float[np.ndarray, "*batch latent"]) -> Float[np.ndarray, "*batch latent"]:
        """Return the new variables."""
        return values @ self.matrix.T + self.offset

    def states(self, values: Float[np.ndarray, "*batch state"]) -> Float[np.ndarray, "*batch state"]:
        """Return states in the new variables: variables alone, or variables and then their velocities."""
        latent = self.offset.size
        moved = [self(values[..., :latent])]
        if values.shape[-1] > latent:
            moved.append(values[..., latent:] @ self.matrix.T)
        return np.concatenate(moved, axis=-1)

    def after(self, first: "Affine") -> "Affine":
        """Return the composition of this change after another one."""
        return Affine(self.matrix @ first.matrix, self.matrix @ first.offset + self.offset)

    def inverse(self) -> "Affine":
        """Return the way back."""
        back = np.linalg.inv(self.matrix)
        return Affine(back, -back @ self.offset)


def identity(latent: int) -> Affine:
    """Return the identity."""
    return Affine(np.eye(latent), np.zeros(latent))


def polynomial(library: Library, coefficients: Numbers | Bool[np.ndarray, "term latent"]) -> bool:
    """Return whether an equation, given by its coefficients or support, has no other terms than monomials."""
    return not np.any(coefficients[len(library.monomials) :])


def in_use(library: Library, coefficients: Numbers) -> tuple[Library, Float[np.ndarray, "used latent"]]:
    """Return the equation in the library of monomials up to its own degree, which an affine change does not raise.

    Further monomials are ambiguous: on a circle, for example, a cube is a linear term too. An equation with other terms
    than monomials stays as it is.
    """
    if not polynomial(library, coefficients):
        return library, coefficients
    used = [len(m) for m, row in zip(library.monomials, coefficients, strict=False) if row.any()]
    fewer = replace(library, degree=max(used, default=1) or 1, functions=())
    return fewer, coefficients[: fewer.size]


def padded(library: Library, coefficients: Float[np.ndarray, "used latent"]) -> Numbers:
    """Return coefficients of a library's first monomials in all of it."""
    missing = np.zeros((library.size - len(coefficients), coefficients.shape[1]))
    return np.concatenate([coefficients, missing])


def contributions_at(library: Library, coefficients: Numbers, states: Float[np.ndarray, "sample state"]) -> Numbers:
    """Return the contributions of terms over states; see `models.contributions`."""
    theta = library.evaluate(states)
    return contributions(coefficients, rms(theta), rms(theta @ coefficients))


def transformed(
    library: Library, coefficients: Numbers, change: Affine, states: Float[np.ndarray, "sample state"]
) -> Numbers:
    """Return the coefficients in new variables, fitted on states in the old ones.

    It is exact where the library holds all terms of the changed equation: for polynomials it always does. Entries
    of less than a millionth of the largest contribution, which are rounding, are zero.
    """
    used, few = in_use(library, coefficients)
    target = used.evaluate(states) @ few @ change.matrix.T
    theta = used.evaluate(change.states(states))
    found = fitted(theta, target)
    sizes = contributions(found, rms(theta), rms(target))
    return padded(library, np.where(sizes < 1e-6 * sizes.max(), 0.0, found))


def fitted(theta: Float[np.ndarray, "sample term"], target: Float[np.ndarray, "sample latent"]) -> Numbers:
    scale = rms(theta)
    found: Numbers = np.linalg.lstsq(theta / scale, target, rcond=1e-12)[0] / scale[:, None]
    return found


def rms(values: np.ndarray) -> np.ndarray:
    rms: np.ndarray = np.sqrt(np.mean(np.square(values), axis=0) + 1e-300)
    return rms
