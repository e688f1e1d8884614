"""How the trials of a cell are run: by the search of this package, or by the recipe that was published."""

import numpy as np

from sparsedyn.equations import compiled, complexity, expressions, simplified
from sparsedyn.estimators.equation import Search, explored, scaling_of, written_out
from sparsedyn.models import EQL, units_of
from sparsedyn.studies.cells import OnProgress
from sparsedyn.training import Progress
from sparsedyn.training.parsimony import bic
from sparsedyn_papers.equations import criterion
from sparsedyn_papers.equations.samples import Sampled
from sparsedyn_papers.equations.spec import FunctionsSpec
from sparsedyn_papers.equations.trials import FAILED, Trial, Trials
from sparsedyn_papers.kim2019.as_published import STEPS, Trained, trained
from sparsedyn_papers.kim2019.reading import one_of

RESTARTS = 3


def searched(
    settings: FunctionsSpec, regularizer: str, data: Sampled, names: tuple[str, ...], seed: int, on_progress: OnProgress
) -> Trials:
    """Search for a function by so many independent trials."""
    asked = search_of(settings, regularizer, seed)

    def report(done: int, wanted: int, exact: int) -> None:
        on_progress(done / wanted, f"generation {done} of {wanted}, {exact} of {asked.trials} trials exact")

    scaling = scaling_of(data.train)
    found = explored(asked, data.train, data.held_out, scaling, on_progress=report)
    own, front, candidates = found.choices(), found.front(asked.active), found.candidates
    places = list(dict.fromkeys([*(place for place in own if place >= 0), *front]))
    by_place: dict[int, Trial] = {}
    for place, equation in zip(
        places, written_out(found, places, asked, data.train, data.held_out, names, scaling), strict=True
    ):
        inside, outside = (float(np.sqrt(part[place])) for part in (candidates.train, candidates.held_out))
        by_place[place] = Trial(equation.expression, equation.weights, inside, outside, equation.score)
    trials = [by_place.get(place, FAILED) for place in own]
    counted = [trial._replace(networks=int(n)) for trial, n in zip(trials, found.networks, strict=True)]
    return Trials(counted, {}, [by_place[place] for place in front], float(found.single))


def search_of(settings: FunctionsSpec, regularizer: str, seed: int) -> Search:
    """Return the search that a study wants; what its spec leaves out is the search's default."""
    given = {name: getattr(settings, name) for name in ("steps", "networks", "generations")}
    return Search(
        hidden=(units_of(settings.primitives),) * settings.hidden,
        regularizer=regularizer,
        trials=settings.trials,
        seed=seed,
        **{name: value for name, value in given.items() if value is not None},
    )


def as_published(
    settings: FunctionsSpec, regularizer: str, data: Sampled, names: tuple[str, ...], seed: int, on_progress: OnProgress
) -> Trials:
    """Train so many networks at once; those that do not end finite again, up to three times, for the restarts.

    The chosen one has the least `n ln(e^2 + 1e-13) + k ln n` for the larger `e` of its errors and `k` weights.
    """

    def run(restart: int) -> list[Trial]:
        def report(progress: Progress) -> None:
            again = "" if restart == 0 else f", restart {restart}"
            on_progress(progress.step / progress.steps, f"step {progress.step:,} of {progress.steps:,}{again}")

        # As many networks in a restart as before: the same compiled training serves.
        found = trained(
            data.train,
            (units_of(settings.primitives),) * settings.hidden,
            regularizer,
            trials=settings.trials,
            seed=seed,
            restart=restart,
            steps=settings.steps or STEPS,
            on_progress=report,
        )
        return _networks(found, data, names)

    trials = run(0)
    restarted: dict[int, Trial] = {}
    for restart in range(1, RESTARTS + 1):
        failed = [i for i, trial in enumerate(trials) if trial.expression is None and i not in restarted]
        if not failed:
            break
        again = run(restart)
        restarted |= {i: again[i] for i in failed if again[i].expression is not None}
    return Trials(trials, restarted, _front(trials), np.nan)


def _networks(found: Trained, data: Sampled, names: tuple[str, ...]) -> list[Trial]:
    return [
        _network(one_of(found.models, i), data, names) if finite else FAILED for i, finite in enumerate(found.finite)
    ]


def _network(model: EQL, data: Sampled, names: tuple[str, ...]) -> Trial:
    (raw,) = expressions(model, names)
    expression = simplified(raw)
    function = compiled([expression], names)
    train, held_out = (
        criterion.relative_error(function(part.x)[:, 0], part.dx[:, 0]) for part in (data.train, data.held_out)
    )
    if not np.isfinite([train, held_out]).all():
        return FAILED
    weights = sum(int(np.count_nonzero(weight)) for weight in model.weights)
    count = len(data.train.x)
    score = bic(max(train, held_out) ** 2, weights, count)
    return Trial(expression, weights, train, held_out, float(score))


def _front(trials: list[Trial]) -> list[Trial]:
    """Return the trials that no other one beats in both error and complexity."""
    finite = [trial for trial in trials if trial.expression is not None]
    front: list[Trial] = []
    for trial in sorted(finite, key=lambda t: (complexity(t.expression), max(t.train, t.held_out))):
        if not front or max(trial.train, trial.held_out) < max(front[-1].train, front[-1].held_out):
            front.append(trial)
    return front


RECIPES = {"search": searched, "as-published": as_published}
"""Recipes by their names in specs."""
