"""From what a search found to equations in the user's names and units, and which of them to believe."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float

from sparsedyn._warnings import Finding
from sparsedyn.data import DataError, Samples, Scaling
from sparsedyn.data.splits import random_share
from sparsedyn.equations import complexity, expressions, simplified, snapped, text
from sparsedyn.estimators.equation._checks import unchanging
from sparsedyn.estimators.equation._front import relative_error
from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.estimators.equation._search import Found, search
from sparsedyn.estimators.equation._settings import Search
from sparsedyn.models import EQL
from sparsedyn.models.eql import places
from sparsedyn.models.primitives import CONSTANT, Units
from sparsedyn.training import polished
from sparsedyn.training.parsimony import FLOOR, bic

SAMPLES = 512
"""Samples that a search uses, of either kind: more make it slower, hardly better."""
WRITTEN_OUT = 16
"""Candidates of least score that are written out, besides those of the front."""
LANES = 32
"""Networks that are refitted together for writing out are a multiple of this many."""
LEAST = 3
"""Samples that either part of a split must have: an error over fewer says nothing."""
ROUNDING = 1e-8
"""Constants become simple numbers where that changes values by less, relatively: nothing that float32 would show."""


class Equation(NamedTuple):
    """An equation and the network that it is read off (unstacked, float64), if it is read off one.

    `error` is the root mean square error, the larger of training and held-out samples, as a share of the target's
    standard deviation; the weights were fitted to both together after it was measured. Without a network, `weights`
    counts the constants that are no simple numbers.
    """

    expression: sympy.Expr
    model: EQL | None
    weights: int
    complexity: int
    error: float
    score: float


def scales_of(columns: Float[np.ndarray, "sample column"]) -> Float[np.ndarray, " column"]:
    """Return powers of two near the largest magnitude of every column.

    Columns are divided by them and nothing is subtracted: a product stays a product, and no digit is lost.
    """
    largest = np.abs(columns).max(axis=0, initial=0.0)
    scales: Float[np.ndarray, " column"] = 2.0 ** np.round(np.log2(np.where(largest > 0, largest, 1.0)))
    return scales


def scaling_of(data: Samples) -> Scaling:
    """Return the scaling of an equation learner: sizes without means."""
    sizes = [scales_of(data.x), scales_of(data.u), scales_of(data.dx - data.dx.mean(axis=0))]
    x, u, dx = ((np.zeros_like(size), size) for size in sizes)
    return Scaling(*x, *u, *dx)


def discover(
    settings: Search,
    data: Samples,
    held_out: Samples,
    names: Sequence[str],
    scaling: Scaling,
    *,
    on_progress: Callable[[int, int, int], None] | None = None,
) -> tuple[list[Equation], Found]:
    """Search for `dx[:, 0]` as a function of `x` and `u`; return equations, best first, and the search.

    Data and equations are in the user's units, their networks in those of `scaling`. The best has the least score
    `n ln(max(train, held-out) + 1e-13) + c ln n`: mean squared errors as shares of the variance, `n` training
    samples, and the complexity `c` of the equation as it is written. The search itself, which cannot write all of its
    networks out, counts weights instead; its best and its front are what is written out here, with the mean of the
    target beside them, which an equation has to beat.
    """
    if unchanging(data.dx[:, 0]):
        raise DataError(
            f"the target changes in the held-out samples only; expected it to change in the {len(data.dx)} that "
            "equations are fitted to, too. Give more such data, or try another seed or share."
        )
    found = explored(settings, data, held_out, scaling, on_progress=on_progress)
    best = np.argsort(found.candidates.score, kind="stable")[:WRITTEN_OUT].tolist()
    places = list(dict.fromkeys([*best, *found.front(settings.active)]))
    written: dict[str, Equation] = {}
    for equation in written_out(found, places, settings, data, held_out, names, scaling):
        written.setdefault(text(equation.expression, 6), equation)
    if holds_constants(settings.hidden):
        inside, outside = data.dx / scaling.dx_std, held_out.dx / scaling.dx_std
        off = outside - inside.mean()
        error = max(1.0, float(np.sqrt(np.mean(np.square(off)) / inside.var())))
        value = float(np.concatenate([inside, outside]).mean())
        mean = constant_equation(settings, value, names, scaling, data)
        mean = mean._replace(error=error, score=selection_score(error, mean.complexity, len(inside)))
        written.setdefault(text(mean.expression, 6), mean)
    return sorted(written.values(), key=lambda equation: equation.score), found


def explored(
    settings: Search,
    data: Samples,
    held_out: Samples,
    scaling: Scaling,
    *,
    on_progress: Callable[[int, int, int], None] | None = None,
) -> Found:
    """Search for `dx[:, 0]` as a function of `x` and `u`, all in the user's units; see `search`."""
    inside, outside = (_joined(scaling, part) for part in (data, held_out))
    return search(settings, inside, outside, np.concatenate([scaling.x_std, scaling.u_std]), on_progress=on_progress)


def written_out(
    found: Found,
    places: Sequence[int],
    settings: Search,
    data: Samples,
    held_out: Samples,
    names: Sequence[str],
    scaling: Scaling,
) -> list[Equation]:
    """Return the candidates at these places as equations, refitted to all samples; errors are those before that."""
    if not places:
        return []
    candidates = found.candidates
    errors = relative_error(candidates)
    layout = Layout(len(names), settings.hidden, settings.bias)
    parts = [_joined(scaling, part) for part in (data, held_out)]
    every = Samples(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    # In a few sizes only, since each is compiled.
    filled = [*places, *[places[-1]] * (-len(places) % LANES)]
    final = polished(layout.model(layout.split(candidates.weights[filled])).exact(), every)
    equations = []
    for place, matrices in zip(places, zip(*final.weights, strict=True), strict=False):
        model = layout.model(list(matrices)).exact()
        expression = read(model, names, scaling, data)
        size, error = complexity(expression), float(errors[place])
        score = selection_score(error, size, len(data.x))
        equations.append(Equation(expression, model, int(candidates.nonzeros[place]), size, error, score))
    return equations


def holds_constants(hidden: tuple[Units, ...]) -> bool:
    """Whether networks of these layers can have a constant as their output."""
    return any(primitive == CONSTANT for primitive, _ in hidden[-1])


def constant_equation(
    settings: Search, value: float, names: Sequence[str], scaling: Scaling, data: Samples
) -> Equation:
    """Return the equation that is the constant `value`, in units of `scaling`, for a target that it leaves nothing of.

    Any other constant than zero needs a unit for it; see `holds_constants`.
    """
    layout = Layout(len(names), settings.hidden, settings.bias)
    matrices = [np.zeros(shape) for shape in layout.shapes()]
    if value:
        unit = next(i for i, (primitive, _) in enumerate(places(layout.hidden[-1])) if primitive == CONSTANT)
        matrices[-1][unit, 0] = value
    model = layout.model(matrices).exact()
    expression = read(model, names, scaling, data)
    size = complexity(expression)
    return Equation(expression, model, int(value != 0), size, 0.0, selection_score(0.0, size, len(data.x)))


def selection_score(error: float, complexity: int, samples: int) -> float:
    """Return `n ln(e^2 + 1e-13) + c ln n`, least for the equation to believe.

    `error` is the larger of training and held-out root mean square errors, as a share of the target's standard
    deviation, `complexity` that of the equation as it is written, `samples` the number of training samples.
    """
    return float(bic(error**2, complexity, samples))


def read(model: EQL, names: Sequence[str], scaling: Scaling, data: Samples) -> sympy.Expr:
    """Return the equation of a network of one output, simplified, with constants recognized where nothing changes."""
    columns = dict(zip(names, np.concatenate([data.x, data.u], axis=1).T, strict=True))
    (expression,) = expressions(model, names, scaling=scaling)
    return snapped(simplified(expression), columns, ROUNDING)


def is_constant(equation: Equation) -> bool:
    """Whether an equation has no variables."""
    return not equation.expression.free_symbols


def empty(name: str, candidates: Sequence[Equation], time: str) -> Finding:
    """Say that a state that changes has an equation without variables, with the best of the others."""
    what = "value in the next row" if time == "discrete" else "derivative"
    others = [one for one in candidates if not is_constant(one)]
    best = f" The best with terms, {text(others[0].expression, 3)}, is {others[0].error:.0%} off." if others else ""
    return Finding(
        "empty-equation",
        f"fit: no term is left for {name}: its {what} is {text(candidates[0].expression, 3)} everywhere.{best} "
        "Give the states and inputs that are missing, other primitives, or more trials and generations.",
    )


def table(found: Sequence[Equation]) -> pd.DataFrame:
    """Return `complexity`, `error`, `weights`, `score` and `equation` (SymPy) of those that no simpler one beats.

    The simplest come first; the one that was chosen, the first of `found`, is always among them. Errors that are
    rounding are all the same: they make no equation better than a simpler one.
    """
    rounding = float(np.sqrt(FLOOR))
    shown: list[Equation] = []
    for one in sorted(found, key=lambda one: (one.complexity, one.error)):
        if one is found[0] or not shown or max(one.error, rounding) < min(max(o.error, rounding) for o in shown):
            shown.append(one)
    rows = [(one.complexity, one.error, one.weights, one.score, one.expression) for one in shown]
    return pd.DataFrame(rows, columns=["complexity", "error", "weights", "score", "equation"])


def split(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places of training and held-out samples, a `share` of all, at random, at most `SAMPLES` of either."""
    inside, outside = random_share(count, share, seed=seed, least=LEAST)
    return inside[:SAMPLES], outside[:SAMPLES]


def _joined(scaling: Scaling, part: Samples) -> Samples:
    """Scaled samples whose inputs are further states, in float64."""
    x, u, y = part.x / scaling.x_std, part.u / scaling.u_std, part.dx / scaling.dx_std
    return Samples(np.concatenate([x, u], axis=1), np.zeros((len(x), 0)), y)
