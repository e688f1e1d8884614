"""Trials of this package's search for equations."""

import numpy as np

from sparsedyn.data import Samples, Scaling
from sparsedyn.equations import complexity
from sparsedyn.estimators.equation._candidates import pareto
from sparsedyn.estimators.equation._expressions import read, scaling_of, worth
from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.estimators.equation._search import Found, Search, relative_error, search
from sparsedyn.models import units_of
from sparsedyn.studies.cells import OnProgress
from sparsedyn.training import polished
from sparsedyn_papers.equations.attempts import NOTHING, Attempt, Attempts
from sparsedyn_papers.equations.samples import Sampled
from sparsedyn_papers.equations.spec import FunctionsSpec

LANES = 32


def searched(
    settings: FunctionsSpec,
    regularizer: str,
    data: Sampled,
    names: tuple[str, ...],
    *,
    seed: int,
    on_progress: OnProgress | None = None,
) -> Attempts:
    """Search for a function by so many independent trials."""
    asked = search_of(settings, regularizer, seed)

    def tell(done: int, wanted: int, exact: int) -> None:
        if on_progress is not None:
            on_progress(done / wanted, f"generation {done} of {wanted}, {exact} of {asked.trials} trials exact")

    scaling = scaling_of(data.train)
    train, held_out = (_scaled(scaling, part) for part in (data.train, data.held_out))
    found = search(asked, train, held_out, scaling.x_std, on_progress=tell)
    own, front = found.choices(), pareto(found.candidates.nonzeros, relative_error(found.candidates), asked.active)
    layout = Layout(len(names), asked.hidden, asked.bias)
    places = list(dict.fromkeys([*(place for place in own if place >= 0), *front]))
    read_off = dict(zip(places, _attempts(found, layout, places, train, held_out, names, scaling), strict=True))
    trials = [read_off.get(place, NOTHING) for place in own]
    counted = [trial._replace(networks=int(n)) for trial, n in zip(trials, found.networks, strict=True)]
    return Attempts(counted, {}, [read_off[place] for place in front], float(found.single))


def search_of(settings: FunctionsSpec, regularizer: str, seed: int) -> Search:
    """Return the search that a study asks for; what it leaves out is the search's own."""
    given = {name: getattr(settings, name) for name in ("steps", "networks", "generations")}
    return Search(
        hidden=(units_of(settings.primitives),) * settings.hidden,
        regularizer=regularizer,
        trials=settings.trials,
        seed=seed,
        **{name: value for name, value in given.items() if value is not None},
    )


def _attempts(
    found: Found,
    layout: Layout,
    places: list[int],
    train: Samples,
    held_out: Samples,
    names: tuple[str, ...],
    scaling: Scaling,
) -> list[Attempt]:
    """Read candidates off as equations, after a last fit to all samples, as the estimators do."""
    if not places:
        return []
    candidates = found.candidates
    every = Samples(*(np.concatenate(parts) for parts in zip(train, held_out, strict=True)))
    # A few sizes only, since each is compiled.
    filled = [*places, *places[-1:] * (-len(places) % LANES)]
    final = polished(layout.model(layout.split(candidates.weights[filled])).exact(), every)
    units = Samples(every.x * scaling.x_std, every.u, every.dx * scaling.dx_std)
    attempts = []
    for place, weights in zip(places, zip(*final.weights, strict=True), strict=False):
        equation = read(layout.model(list(weights)).exact(), names, scaling, units)
        inside, outside = (float(np.sqrt(part[place])) for part in (candidates.train, candidates.held_out))
        score = worth(max(inside, outside), complexity(equation), len(train.x))
        attempts.append(Attempt(equation, int(candidates.nonzeros[place]), inside, outside, score))
    return attempts


def _scaled(scaling: Scaling, part: Samples) -> Samples:
    return Samples(part.x / scaling.x_std, part.u, part.dx / scaling.dx_std)
