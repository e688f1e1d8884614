"""Trials with the settings of the code that was released with Kim et al. 2019: one network each, three phases."""

from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np

from sparsedyn.data import Samples
from sparsedyn.equations import compiled, complexity, expressions, simplified
from sparsedyn.models import EQL, units_of
from sparsedyn.sparsify import L0, L05, AbstractSparsifier, Chain, Phases, SequentialThresholding
from sparsedyn.studies.cells import OnProgress
from sparsedyn.training import Progress, fit, learning_rates, optimizer
from sparsedyn_papers.equations.attempts import NOTHING, Attempt, Attempts
from sparsedyn_papers.equations.criterion import relative_error
from sparsedyn_papers.equations.samples import Sampled
from sparsedyn_papers.equations.spec import FunctionsSpec

STEPS = 22_000
FAST, CUT = 2_000 / STEPS, 12_000 / STEPS
"""Shares of training at which the rate falls from 0.1 to 0.01, and to 0.001 once small weights are cut."""
WEIGHT, THRESHOLD = 5e-3, 0.01
RESTARTS = 3
FLOOR = 1e-13


class _Trained(NamedTuple):
    models: EQL
    alive: np.ndarray


def as_published(
    settings: FunctionsSpec,
    regularizer: str,
    data: Sampled,
    names: tuple[str, ...],
    *,
    seed: int,
    on_progress: OnProgress | None = None,
) -> Attempts:
    """Train so many networks at once; those that do not end finite again, up to three times, for the restarts.

    The chosen one has the least `n ln(e^2 + 1e-13) + k ln n` for the larger `e` of its errors and `k` weights.
    """
    first = _wave(settings, regularizer, data, seed, settings.trials, 0, on_progress)
    trials = _attempts(first, data, names)
    restarted: dict[int, Attempt] = {}
    for wave in range(1, RESTARTS + 1):
        open_ = [i for i, trial in enumerate(trials) if trial.expression is None and i not in restarted]
        if not open_:
            break
        # As many networks as before: the same compiled training serves.
        again = _attempts(_wave(settings, regularizer, data, seed, settings.trials, wave, on_progress), data, names)
        restarted |= {i: again[i] for i in open_ if again[i].expression is not None}
    return Attempts(trials, restarted, _front(trials), np.nan)


def _wave(
    settings: FunctionsSpec,
    regularizer: str,
    data: Sampled,
    seed: int,
    trials: int,
    wave: int,
    on_progress: OnProgress | None,
) -> _Trained:
    units, steps = units_of(settings.primitives), settings.steps or STEPS
    keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), wave), trials)
    features = data.train.x.shape[1]
    models = eqx.filter_vmap(lambda key: EQL(features, 0, 1, (units,) * settings.hidden, key=key))(keys)

    def tell(progress: Progress) -> None:
        if on_progress is not None:
            again = "" if wave == 0 else f", restart {wave}"
            on_progress(progress.step / progress.steps, f"step {progress.step:,} of {progress.steps:,}{again}")

    found = fit(
        models,
        Samples(*(part.astype(np.float32) for part in data.train)),
        sparsifier=technique(regularizer),
        rates=learning_rates("step", 0.1, steps, drops=(FAST, CUT)),
        keys=keys,
        batch=len(data.train.x),
        optimizer=optimizer("rmsprop"),
        validations=20,
        seed=seed,
        on_progress=tell,
    )
    last: EQL = found.last  # type: ignore[assignment]
    return _Trained(last.exact(), found.alive)


def technique(regularizer: str) -> AbstractSparsifier:
    """Return the smoothed L0.5 penalty, cut at a threshold, or hard-concrete gates, which need no cut."""
    if regularizer == "l0":
        return L0(WEIGHT, drop_rate=0.5)
    # The penalty ends with the cut: the last phase fits what is left.
    penalty = Phases(L05(WEIGHT), at=(CUT - 0.5 / STEPS, CUT), levels=(1.0, 0.0))
    return Chain(penalty, SequentialThresholding(THRESHOLD, at=(CUT,)))


def _attempts(trained: _Trained, data: Sampled, names: tuple[str, ...]) -> list[Attempt]:
    found = []
    for i, alive in enumerate(trained.alive):
        model = jax.tree.map(lambda leaf, i=i: leaf[i] if eqx.is_array(leaf) else leaf, trained.models)
        found.append(_attempt(model, data, names) if alive else NOTHING)
    return found


def _attempt(model: EQL, data: Sampled, names: tuple[str, ...]) -> Attempt:
    (raw,) = expressions(model, names)
    expression = simplified(raw)
    function = compiled([expression], names)
    train, held_out = (relative_error(function(part.x)[:, 0], part.dx[:, 0]) for part in (data.train, data.held_out))
    if not np.isfinite([train, held_out]).all():
        return NOTHING
    weights = sum(int(np.count_nonzero(weight)) for weight in model.weights)
    count = len(data.train.x)
    score = count * np.log(max(train, held_out) ** 2 + FLOOR) + weights * np.log(count)
    return Attempt(expression, weights, train, held_out, float(score))


def _front(trials: list[Attempt]) -> list[Attempt]:
    """The trials that no other one beats in both error and complexity."""
    finite = [trial for trial in trials if trial.expression is not None]
    front: list[Attempt] = []
    for trial in sorted(finite, key=lambda t: (complexity(t.expression), max(t.train, t.held_out))):
        if not front or max(trial.train, trial.held_out) < max(front[-1].train, front[-1].held_out):
            front.append(trial)
    return front
