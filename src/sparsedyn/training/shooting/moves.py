"""Which other supports would do better, by the quadratic model of the misfit around a fit."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from .fitting import Normal, solved

DETERMINED = 1e-8
"""Curvature of a parameter beside others, as a share of its own, from which on it is determined."""


class Move(NamedTuple):
    """Another support, the parameters that the quadratic model has there, and the misfit it predicts."""

    support: Bool[np.ndarray, " parameter"]
    parameters: Float[np.ndarray, " parameter"]
    misfit: Float[np.ndarray, ""] | float


class Quadratic:
    """The misfit `p H p - 2 z p + constant`, relative to that of the fit it was taken at."""

    def __init__(self, equations: Normal, parameters: Float[np.ndarray, " parameter"]) -> None:
        self.hessian = equations.hessian
        self.linear = equations.hessian @ parameters + equations.gradient
        self.constant = float(parameters @ (self.linear + equations.gradient))

    def best(self, support: Bool[np.ndarray, " parameter"]) -> Move:
        """Return the minimum on a support."""
        chosen = np.flatnonzero(support)
        found = np.zeros(len(support))
        found[chosen] = solved(self.hessian[np.ix_(chosen, chosen)], self.linear[chosen])
        return Move(support, found, self.constant - float(self.linear @ found))

    def with_one(self, support: Bool[np.ndarray, " parameter"]) -> Float[np.ndarray, " parameter"]:
        """Return the misfit with each further parameter beside a support; infinite for those in it."""
        base = self.best(support)
        chosen = np.flatnonzero(support)
        across = self.hessian[:, chosen]
        left = self.linear - across @ base.parameters[chosen]
        own = np.diag(self.hessian)
        curvature = own.copy()
        if chosen.size:
            curvature -= np.sum(across * solved(self.hessian[np.ix_(chosen, chosen)], across.T).T, axis=1)
        fine = ~support & (curvature > DETERMINED * own) & (own > 0)
        gains = np.divide(np.square(left), curvature, out=np.zeros_like(left), where=fine)
        return np.where(support, np.inf, base.misfit - gains)

    def elimination(self, support: Bool[np.ndarray, " parameter"]) -> list[Bool[np.ndarray, " parameter"]]:
        """Return supports from this one to none, each without the parameter that the misfit rises least by."""
        left = np.flatnonzero(support)
        size = np.sqrt(np.maximum(np.diag(self.hessian)[left], 1e-300))
        scaled = self.hessian[np.ix_(left, left)] / np.outer(size, size)
        inverse = np.linalg.inv(scaled + DETERMINED * np.eye(len(left)))
        values = inverse @ (self.linear[left] / size)
        found = []
        now = support.copy()
        while left.size:
            worst = int(np.argmin(np.square(values) / np.diag(inverse)))
            values = values - inverse[:, worst] * values[worst] / inverse[worst, worst]
            inverse = inverse - np.outer(inverse[:, worst], inverse[worst]) / inverse[worst, worst]
            keep = np.arange(len(left)) != worst
            now = now.copy()
            now[left[worst]] = False
            found.append(now)
            left, values, inverse = left[keep], values[keep], inverse[np.ix_(keep, keep)]
        return found


def moves(
    model: Quadratic,
    support: Bool[np.ndarray, " parameter"],
    offered: Bool[np.ndarray, " parameter"],
    price: float,
    most: int,
) -> list[Move]:
    """Return the supports near this one, the least predicted misfit and price first: terms added, left out, exchanged.

    `offered` are the parameters that may be taken; at most `most` moves of each kind.
    """
    found: list[Bool[np.ndarray, " parameter"]] = []

    def extended(base: Bool[np.ndarray, " parameter"], count: int) -> None:
        misfits = np.where(offered, model.with_one(base), np.inf)
        for place in np.argsort(misfits)[:count]:
            if np.isfinite(misfits[place]):
                found.append(base | (np.arange(len(base)) == place))

    extended(support, most)
    for place in np.flatnonzero(support):
        less = support & (np.arange(len(support)) != place)
        found.append(less)
        extended(less, 2)
    gains = np.where(offered & ~support, model.with_one(support), np.inf)
    several = support.copy()
    several[np.argsort(gains)[: max(8, int(support.sum()))]] = True
    found += model.elimination(several & (offered | support))
    made = {candidate.tobytes(): model.best(candidate) for candidate in found}
    return sorted(made.values(), key=lambda move: move.misfit + price * move.support.sum())
