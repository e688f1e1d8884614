"""What a study of equation learners is: the validated form of its TOML file, told by `kind = "equations"`."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sparsedyn.models import units_of
from sparsedyn.studies.errors import Misfit, StudyError, near_miss, shown
from sparsedyn.studies.spec import AbstractStudySpec, Count, Names, Some, Table, Word, distinct, listed, one_of
from sparsedyn_papers.equations.suites import SUITES

Regularizer = Literal["l05", "l0"]


def increasing(ends: tuple[float, float]) -> tuple[float, float]:
    """Refuse the ends of an empty range."""
    if not ends[0] < ends[1]:
        raise ValueError(f"expected [low, high] with low < high; got [{ends[0]:g}, {ends[1]:g}].")
    return ends


def layer_of(value: Any) -> Any:
    """Refuse what names no layer of primitives."""
    if not isinstance(value, str | dict):
        raise ValueError(
            'expected the name of a set, such as "kim2019", or a table such as { sin = 2, product = 3 }; got '
            f"{shown(value)}."
        )
    try:
        units_of(value)
    except ValueError as error:
        raise ValueError(str(error).removeprefix("primitives: ")) from error
    return value


Number = Annotated[float, Field(allow_inf_nan=False)]
Range = Annotated[tuple[Number, Number], Field(strict=False), AfterValidator(increasing)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Seeds = Annotated[tuple[Seed, ...], BeforeValidator(listed), Some, AfterValidator(distinct)]
Regularizers = Annotated[tuple[Regularizer, ...], BeforeValidator(listed), Some, AfterValidator(distinct)]

SEARCHED = ("networks", "generations")
"""What only the search has."""


class FunctionsSpec(Table):
    """Functions to be found from samples: every function with every regularizer and every seed of data is a cell.

    `points` are trained on, `held_out` ones judge equations; a trajectory's suite has its own points, of which these
    are the most. `noise` is the standard deviation of what is added to the target, as a share of the target's root mean
    square. `domain` and `extrapolation` replace those of the suite, the same for every variable. `functions` are the
    names of those to take, all without. `steps` are gradient steps of a network, 200 in the search, 22,000 as
    published.
    """

    suite: Annotated[str, one_of(SUITES)]
    functions: Names | None = None
    points: Annotated[int, Field(ge=16)] = 256
    held_out: Annotated[int, Field(ge=16)] = 128
    domain: Range | None = None
    extrapolation: Range | None = None
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    seeds: Seeds = (0,)
    regularizers: Regularizers = ("l05", "l0")
    trials: Count = 20
    primitives: Annotated[Any, AfterValidator(layer_of)] = "general"
    hidden: Annotated[int, Field(ge=1, le=4)] = 2
    recipe: Literal["search", "as-published"] = "search"
    steps: Annotated[int, Field(ge=10)] | None = None
    networks: Count | None = None
    generations: Count | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "FunctionsSpec":
        known = [function.name for function in SUITES[self.suite]]
        for i, name in enumerate(self.functions or ()):
            if name not in known:
                raise Misfit(
                    ("functions", i),
                    f"expected functions of the suite {self.suite!r}; got {name!r}.{near_miss(name, known)} Known: "
                    f"{', '.join(known)}.",
                )
        if self.recipe == "as-published":
            for name in SEARCHED:
                if getattr(self, name) is not None:
                    raise Misfit(
                        (name,), 'belongs to recipe = "search"; as published, a trial is one network. Remove it.'
                    )
        if self.suite == "strogatz" and self.domain is not None:
            raise Misfit(("domain",), "samples of this suite lie on trajectories. Remove it.")
        return self


class DigitsSpec(Table):
    """The sum of two handwritten digits: `trials` networks of each head, for every seed of data.

    The images are the small ones that come with scikit-learn, or MNIST from the folder `mnist`.
    """

    trials: Count = 5
    seeds: Seeds = (0,)
    mnist: Word | None = None


class PropagationSpec(Table):
    """A system whose parameter is read off a series and whose states are propagated: `trials` networks of each cell."""

    system: Literal["kinematics", "oscillator"]
    trials: Count = 5
    seeds: Seeds = (0,)


EXPERIMENTS = ("functions", "digits", "propagation")


class EquationsSpec(AbstractStudySpec):
    """A study of equation learners: one experiment, told by which of its tables is there."""

    kind: Literal["equations"]
    functions: FunctionsSpec | None = None
    digits: DigitsSpec | None = None
    propagation: PropagationSpec | None = None

    @model_validator(mode="after")
    def _one_experiment(self) -> "EquationsSpec":
        given = [name for name in EXPERIMENTS if getattr(self, name) is not None]
        if len(given) != 1:
            raise Misfit(
                (given[1],) if given else (),
                f"expected exactly one of the tables {', '.join(f'[{name}]' for name in EXPERIMENTS)}; got "
                f"{' and '.join(f'[{name}]' for name in given) or 'none'}.",
            )
        return self

    @property
    def experiment(self) -> str:
        """The name of the table that says what is done."""
        return next(name for name in EXPERIMENTS if getattr(self, name) is not None)

    def with_members(self, table: dict[str, Any], members: int) -> dict[str, Any]:
        """Refuse members."""
        raise StudyError(f"{self.name}: members are those of ensembles; its cells have trials. Leave --members out.")

    def with_images(self, folder: str) -> "EquationsSpec":
        """Return this study of digits with the images of MNIST in `folder`."""
        if self.digits is None:
            return super().with_images(folder)
        table = self.resolved()
        table["digits"]["mnist"] = folder
        return EquationsSpec.model_validate(table)
