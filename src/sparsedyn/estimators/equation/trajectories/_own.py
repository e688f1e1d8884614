"""Right-hand sides of a user's own, fitted to the states in the place of found ones, and judged like these."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.data import Trajectories
from sparsedyn.equations import compiled, simplified
from sparsedyn.estimators.equation._forms import Fate, Form, starts
from sparsedyn.estimators.equation.trajectories._fields import Expressions, Fit, carried, fit, left
from sparsedyn.estimators.equation.trajectories._reading import terms_of, worth
from sparsedyn.estimators.shooting_search._models import Found
from sparsedyn.estimators.shooting_search._paths import NODES, Paths
from sparsedyn.estimators.shooting_search._prior import Prior
from sparsedyn.estimators.shooting_search._problem import VANISHING, Candidate, Problem
from sparsedyn.estimators.shooting_search._rounding import NOTHING, shortened
from sparsedyn.estimators.shooting_search._straying import straying
from sparsedyn.estimators.shooting_search._written import expression
from sparsedyn.training.shooting.products import Term, parameters

POINTS = 400
"""Points at which constants of forms are first fitted to derivatives."""
BEGUN = 2
"""First values of constants that are fitted to the states."""
BETTER = 1e-6
UNNAMED = "_"


class Part(NamedTuple):
    """The equation of a state: an expression with constants that stand as symbols, their values, and its structure.

    The structure is its terms where it is a sum of such, else the nats that it costs.
    """

    expr: sympy.Expr
    constants: tuple[sympy.Symbol, ...]
    values: tuple[float, ...]
    structure: tuple[Term, ...] | float


class Model(NamedTuple):
    """A whole model with a form of a user's own in it, its fit, its criterion, and the largest values of variables."""

    parts: tuple[Part, ...]
    field: Expressions
    fit: Fit
    score: float
    largest: Float[np.ndarray, " variable"]

    @property
    def equations(self) -> tuple[int, ...]:
        """The equation that every constant is in."""
        return tuple(j for j, part in enumerate(self.parts) for _ in part.constants)

    @property
    def names(self) -> tuple[str, ...]:
        """What every constant is called in a form; unnamed ones, and those of equations that were found, are not."""
        return tuple(one.name.strip("_0123456789") and one.name for one in self.field.constants)

    def written(self, values: Float[np.ndarray, " parameter"]) -> tuple[sympy.Expr, ...]:
        """Return the equations with these values of constants, without terms that are nothing beside the others.

        Such as that of a limit which the data put beyond all bounds.
        """
        named = dict(zip(self.field.constants, map(sympy.Float, values), strict=True))
        names = [variable.name for variable in self.field.variables]
        return tuple(_with_size(simplified(part.expr.xreplace(named)), names, self.largest) for part in self.parts)


def contest(
    found: Found, forms: Sequence[Form], symbols: Sequence[sympy.Symbol], seed: int
) -> tuple[list[Model], list[Fate]]:
    """Return models with forms in them, best first, and how every form fared.

    Every form takes the place of the equation of its state in the best model so far, all constants being fitted
    together, and stays there if that is better. So do the best forms of all states together.
    """
    problem, best = found.problem, found.candidates[0]
    now = tuple(part_of(best, j, symbols) for j in range(len(problem.states)))
    names = [one.name for one in symbols]
    score = best.score + straying(_whole(now, known_part(problem.prior, symbols, len(now))), found.paths, names)
    begun = [_begun(found.paths, form, symbols, seed) for form in forms]
    made: dict[int, Model] = {}

    def tried(parts: tuple[Part, ...]) -> Model | None:
        return _tried(problem, best, parts, symbols, found.paths)

    for _ in range(2 if len(problem.states) > 1 else 1):
        before = now
        for place, (form, options) in enumerate(zip(forms, begun, strict=True)):
            j = form.equation
            if place in made and _others(made[place].parts, j) == _others(now, j):
                continue
            fits = [tried((*now[:j], option, *now[j + 1 :])) for option in options]
            if any(fits):
                made[place] = min((one for one in fits if one), key=lambda one: one.score)
                if made[place].score < score - BETTER:
                    score, now = made[place].score, made[place].parts
        first: dict[int, int] = {}
        for place in sorted(made, key=lambda one: made[one].score):
            first.setdefault(forms[place].equation, place)
        if len(first) > 1:
            together = tried(tuple(made[first[j]].parts[j] if j in first else part for j, part in enumerate(now)))
            if together is not None:
                for place in first.values():
                    if together.score < made[place].score:
                        made[place] = together
                if together.score < score - BETTER:
                    score, now = together.score, together.parts
        if now == before:
            break
    models = sorted(made.values(), key=lambda one: one.score)
    return models, [_fate(found, form, made.get(place)) for place, form in enumerate(forms)]


def _with_size(expr: sympy.Expr, names: Sequence[str], place: Float[np.ndarray, " variable"]) -> sympy.Expr:
    """A sum without the terms that are nothing beside its largest finite one at a place."""
    terms = sympy.Add.make_args(expr)
    with np.errstate(all="ignore"):
        sizes = np.abs(compiled(terms, names)(place[None])[0])
    largest = np.max(sizes, where=np.isfinite(sizes), initial=0.0)
    return sympy.Add(*(term for term, size in zip(terms, sizes, strict=True) if not size < NOTHING * largest))


def _others(parts: tuple[Part, ...], equation: int) -> tuple[Part, ...]:
    return (*parts[:equation], *parts[equation + 1 :])


def short(problem: Problem, model: Model) -> Float[np.ndarray, " parameter"]:
    """Return a model's constants with as few digits as the data allow."""
    done = model.fit
    return shortened(
        done.values, done.information, lambda values: left(problem, model.field, values, done.starts, done.level)
    )


def standing(problem: Problem, model: Model) -> float:
    """Return the criterion of a model on other trajectories, its constants and their first states as they are."""
    level = min(1, len(problem.cuts) - 1)
    found = left(problem, model.field, model.fit.values, problem.cuts[level].starts, level)
    return found + _cost(problem, model.parts, model.field.variables)


def _tried(
    problem: Problem, best: Candidate, parts: tuple[Part, ...], symbols: Sequence[sympy.Symbol], paths: Paths
) -> Model | None:
    """A model of these equations, fitted on ever longer segments, up to those of the best."""
    field = _field(parts, known_part(problem.prior, symbols, len(parts)), symbols)
    values = np.asarray([value for one in parts for value in one.values])
    done = fit(problem, field, values, problem.cuts[0].starts, problem.noise, 0)
    for level in range(1, best.level + 1):
        if np.isfinite(done.misfit):
            done = fit(problem, field, done.values, carried(problem, field, done, level), done.noise, level)
    if not np.isfinite(done.misfit):
        return None
    ends = np.cumsum([len(part.values) for part in parts])[:-1]
    parts = tuple(
        part._replace(values=tuple(map(float, own)))
        for part, own in zip(parts, np.split(done.values, ends), strict=True)
    )
    known = known_part(problem.prior, symbols, len(parts))
    strays = straying(_whole(parts, known), paths, [one.name for one in symbols])
    largest = np.maximum(np.abs(problem.low), np.abs(problem.high))
    return Model(parts, field, done, done.misfit + _cost(problem, parts, symbols) + strays, largest)


def _whole(parts: Sequence[Part], known: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """The right-hand side with the values of constants."""
    return [
        part.expr.xreplace(dict(zip(part.constants, map(sympy.Float, part.values), strict=True))) + other
        for part, other in zip(parts, known, strict=True)
    ]


def _cost(problem: Problem, parts: Sequence[Part], symbols: Sequence[sympy.Symbol]) -> float:
    """What structure and constants cost: as the same made of terms would, with as many constants as there are."""
    read = [(term, j) for j, part in enumerate(parts) if isinstance(part.structure, tuple) for term in part.structure]
    terms = [term for term, _ in read]
    found = problem.cost(terms, [j for _, j in read])
    for j, part in enumerate(parts):
        found -= problem.cost_of_constants(sum(term.free for term, of in read if of == j))
        found += problem.cost_of_constants(len(part.constants))
        if not isinstance(part.structure, tuple):
            found += 2 * part.structure
            at_zero = part.expr.xreplace({symbols[j]: sympy.Integer(0)})
            if problem.reaches(j) and at_zero == 0:
                found -= VANISHING * len(sympy.Add.make_args(part.expr))
    return float(found)


def _field(parts: Sequence[Part], known: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol]) -> Expressions:
    constants = tuple(one for part in parts for one in part.constants)
    whole = tuple(part.expr + other for part, other in zip(parts, known, strict=True))
    return Expressions(whole, constants, tuple(symbols))


def known_part(prior: Prior, symbols: Sequence[sympy.Symbol], states: int) -> list[sympy.Expr]:
    """Return what is known of the equations of all states."""
    own = [[one for one in prior.known if one.equation == j] for j in range(states)]
    return [expression([one.term for one in part], [one.coefficient for one in part], symbols) for part in own]


def part_of(candidate: Candidate, equation: int, symbols: Sequence[sympy.Symbol]) -> Part:
    """Return the equation of a state in a candidate."""
    own = [k for k, e in enumerate(candidate.equations) if e == equation]
    terms = tuple(candidate.terms[k] for k in own)
    values = parameters(terms, [candidate.coefficients[k] for k in own])
    constants = tuple(sympy.Dummy(UNNAMED, real=True) for _ in values)
    rest = iter(constants)
    first, named = [], []
    for term in terms:
        first.append(next(rest))
        named.append(Term(term.factors, tuple(next(rest) for _ in term.inside)))
    return Part(expression(named, first, symbols), constants, tuple(map(float, values)), terms)


def _begun(paths: Paths, form: Form, symbols: Sequence[sympy.Symbol], seed: int) -> list[Part]:
    """A form with first values of its constants, fitted to derivatives along smooth curves."""
    x, slopes = _slopes(paths)
    slopes = slopes - compiled(known_part(paths.prior, symbols, slopes.shape[1]), [one.name for one in symbols])(x)
    chosen = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
    names = [one.name for one in symbols]
    # A form may be in several equations of a model, with constants of its own in each.
    fresh = {one: sympy.Dummy(one.name, real=True) for one in form.constants}
    found = []
    for values in starts(form, names, x[chosen], slopes[chosen, form.equation], seed)[:BEGUN]:
        numbers = form.expression.xreplace(dict(zip(form.constants, map(sympy.Float, values), strict=True)))
        read = terms_of(numbers, symbols)
        structure = worth(form.expression, set(symbols)) if read is None else tuple(term for _, term in read)
        expr, constants = form.expression.xreplace(fresh), tuple(fresh.values())
        found.append(Part(expr, constants, tuple(map(float, values)), structure))
    return found


def _slopes(paths: Paths) -> tuple[Float[np.ndarray, "point variable"], Float[np.ndarray, "point state"]]:
    """Variables along smooth curves, and the derivatives of states."""
    points, rates = [], []
    for nodes, pieces, t in zip(paths.nodes, paths.pieces, paths.data.time, strict=True):
        powers = np.arange(1, pieces.shape[1])
        by = powers * NODES[:, None] ** (powers - 1)
        points.append(nodes.reshape(-1, nodes.shape[2]))
        rates.append(
            (np.einsum("np,spv->snv", by, pieces[:, 1:]) / np.diff(t)[:, None, None]).reshape(len(points[-1]), -1)
        )
    return np.concatenate(points), np.concatenate(rates)


def _fate(found: Found, form: Form, model: Model | None) -> Fate:
    if model is None:
        return Fate(form.name, form.text, None, np.inf, np.inf)
    j = form.equation
    error = share_of_spread(found.paths.data, np.sqrt(model.fit.squares / found.problem.counts))[j]
    return Fate(form.name, form.text, model.written(short(found.problem, model))[j], float(error), model.score)


def share_of_spread(data: Trajectories, shares: Float[np.ndarray, " state"]) -> Float[np.ndarray, " state"]:
    """Return residuals that are shares of states' sizes as shares of their standard deviations."""
    whole = np.concatenate(data.states)
    spread, size = whole.std(axis=0), np.sqrt(np.mean(np.square(whole), axis=0))
    return np.where(spread > 0, shares * size / np.where(spread > 0, spread, 1.0), 0.0)
