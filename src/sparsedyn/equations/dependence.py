"""How strongly the outputs of networks depend on their inputs, and how similar networks are in this.

A path of nonzero weights says that an output may depend on a feature (`reach`). After L1 with Adam nearly every path
is there, most of them through weights of almost no effect, so here the effect of the paths is measured on data.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from sparsedyn.data import Scaling, Trajectories
from sparsedyn.models import AbstractModel

THRESHOLD = 0.1
"""Strength above which an output is said to depend on a feature: one percent of the output's variance.

Networks that forecast well err by about 0.1 standard deviations of a derivative: weaker effects cannot be distinguished
from their error.
"""
THRESHOLDS = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Thresholds at which agreement is reported: no conclusion should depend on one of them."""
MOST_SAMPLES = 2000
# How often every sample exchanges a feature with another one.
EXCHANGES = 4
# Samples whose Jacobians are computed at once, of one member at a time: some megabytes for layers of 128.
CHUNK = 128

PointMap = Callable[[Array, Array], Array]


def strength(
    models: AbstractModel, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
) -> Float[np.ndarray, "member output feature"]:
    """Return how strongly output `i` of every member depends on feature `j`; features are states, then inputs.

    It is the `total_effect` at the standardized samples `x` and `u`, in standard deviations of the output. `models`
    are stacked along a leading member axis. NaN where a network has weights that are not finite.
    """
    stacked = jax.tree.map(lambda leaf: jnp.asarray(leaf) if eqx.is_array(leaf) else leaf, models)
    features = _features(x, u, np.float32)
    return np.asarray(_members_effect(stacked, features, _partners(len(features)), x.shape[1]))


def total_effect(
    function: PointMap, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
) -> Float[np.ndarray, "output feature"]:
    """Return how far each output of `function(x, u)` moves when one feature is exchanged for that of another sample.

    In the unit of the output: the root mean square of the change over samples, divided by the square root of two, so
    that for independent features the square of it is the output's variance that would be left if all features but
    this one were known. For a linear function it is slope times standard deviation. Exactly zero where the function
    does not use the feature, or the feature never varies. More than 2000 samples are thinned out evenly; points at
    which the function is not finite are left out. `function` maps one point and is an Equinox module or a plain
    function.

    Derivatives at the samples would miss an input that rests most of the time: a network may be flat around the
    resting value and right at the pulses. Exchanges see both.

    Source: Jansen (1999), "Analysis of variance designs for model output"; Homma and Saltelli (1996).
    """
    features = _features(x, u, np.dtype(jnp.result_type(float)))
    return np.asarray(_function_effect(function, features, _partners(len(features)), x.shape[1]))


def local_effect(
    function: PointMap, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
) -> Float[np.ndarray, "output feature"]:
    """Return the root mean square over samples of the derivative of each output of `function(x, u)` to each feature.

    The local counterpart of `total_effect`, with the same arguments; points without a finite derivative are left out.
    It shows what an equation contains also where the samples hardly vary.
    """
    features = _features(x, u, np.dtype(jnp.result_type(float)))
    return np.asarray(_function_slope(function, features, x.shape[1]))


def sensitivity(
    models: AbstractModel, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
) -> Float[np.ndarray, "member output feature"]:
    """Return the root mean square over samples of the derivative of output `i` of every member to feature `j`.

    The local counterpart of `strength`, with the same arguments: standard deviations per standard deviation.
    """
    stacked = jax.tree.map(lambda leaf: jnp.asarray(leaf) if eqx.is_array(leaf) else leaf, models)
    return np.asarray(_members_slope(stacked, _features(x, u, np.float32), x.shape[1]))


def standardized(
    data: Trajectories, scaling: Scaling
) -> tuple[Float[np.ndarray, "sample state"], Float[np.ndarray, "sample input"]]:
    """Return the states and inputs of `pooled` in standard deviations."""
    x, u = pooled(data)
    return (x - scaling.x_mean) / scaling.x_std, (u - scaling.u_mean) / scaling.u_std


def pooled(data: Trajectories) -> tuple[Float[np.ndarray, "sample state"], Float[np.ndarray, "sample input"]]:
    """Return at most 2000 states and inputs, evenly spaced over all trajectories end to end, in the data's units."""
    x, u = np.concatenate(data.states), np.concatenate(data.inputs)
    rows = _evenly(len(x))
    return x[rows], u[rows]


def depends(strength: Float[np.ndarray, "*map"], threshold: float = THRESHOLD) -> Bool[np.ndarray, "*map"]:
    """Return where the strength exceeds `threshold`; a strength that is NaN does not."""
    return np.asarray(strength) > threshold


@eqx.filter_jit
def _members_effect(
    models: AbstractModel, features: Float[Array, "sample feature"], partners: Int[Array, "turn sample"], states: int
) -> Float[Array, "member output feature"]:
    return _over_members(models, lambda model: _effect(model, features, partners, states))


@eqx.filter_jit
def _function_effect(
    function: PointMap, features: Float[Array, "sample feature"], partners: Int[Array, "turn sample"], states: int
) -> Float[Array, "output feature"]:
    return _effect(function, features, partners, states)


@eqx.filter_jit
def _members_slope(
    models: AbstractModel, features: Float[Array, "sample feature"], states: int
) -> Float[Array, "member output feature"]:
    return _over_members(models, lambda model: _slope(model, features, states))


@eqx.filter_jit
def _function_slope(
    function: PointMap, features: Float[Array, "sample feature"], states: int
) -> Float[Array, "output feature"]:
    return _slope(function, features, states)


def _over_members(models: AbstractModel, measure: Callable[[PointMap], Array]) -> Array:
    """One member after the other, so that memory does not grow with their number."""
    arrays, static = eqx.partition(models, eqx.is_array)
    return jax.lax.map(lambda leaves: measure(eqx.combine(leaves, static)), arrays)


def _slope(function: PointMap, features: Float[Array, "sample feature"], states: int) -> Float[Array, "output feature"]:
    jacobian = jax.jacfwd(lambda point: function(point[:states], point[states:]))
    square = jnp.square(jax.lax.map(jacobian, features, batch_size=CHUNK))
    known = jnp.isfinite(square)
    return jnp.sqrt(jnp.sum(jnp.where(known, square, 0.0), axis=0) / jnp.sum(known, axis=0))


def _effect(
    function: PointMap, features: Float[Array, "sample feature"], partners: Int[Array, "turn sample"], states: int
) -> Float[Array, "output feature"]:
    def everywhere(points: Float[Array, "sample feature"]) -> Float[Array, "sample output"]:
        return jax.vmap(lambda point: function(point[:states], point[states:]))(points)

    before = everywhere(features)

    def moved(feature: Int[Array, ""], partner: Int[Array, " sample"]) -> tuple[Array, Array]:
        after = everywhere(features.at[:, feature].set(features[partner, feature]))
        square = jnp.square(after - before)
        known = jnp.isfinite(square)
        return jnp.sum(jnp.where(known, square, 0.0), axis=0), jnp.sum(known, axis=0)

    def of_feature(feature: Int[Array, ""]) -> Float[Array, " output"]:
        total, count = jax.lax.map(lambda partner: moved(feature, partner), partners)
        # Without any finite point this is 0 / 0, NaN as intended.
        return jnp.sqrt(0.5 * jnp.sum(total, axis=0) / jnp.sum(count, axis=0))

    return jax.lax.map(of_feature, jnp.arange(features.shape[1])).T


def _features(x: np.ndarray, u: np.ndarray, dtype: type | np.dtype[np.floating]) -> Float[Array, "sample feature"]:
    rows = _evenly(len(x))
    return jnp.asarray(np.concatenate([x[rows], u[rows]], axis=1), dtype)


def _evenly(count: int) -> Int[np.ndarray, " sample"]:
    return np.unique(np.linspace(0, count - 1, min(MOST_SAMPLES, count)).round().astype(np.int64))


def _partners(count: int) -> Int[Array, "turn sample"]:
    """The samples with which each one exchanges a feature: the same for every network and plant, to compare them."""
    rng = np.random.default_rng(0)
    return jnp.asarray(np.stack([rng.permutation(count) for _ in range(EXCHANGES)]), jnp.int32)
