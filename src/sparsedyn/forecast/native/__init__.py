"""Rolling forecasts of plain networks, compiled by Numba."""

from sparsedyn.forecast.native.rollouts import native_rollout

__all__ = ["native_rollout"]
