"""The command that runs a study, as a reader would type it."""

import itertools
from dataclasses import dataclass

from sparsedyn.studies import catalogue
from sparsedyn.studies.reading import load
from sparsedyn.studies.spec import AbstractStudySpec


@dataclass(frozen=True)
class Command:
    """A command line, and whether the study is a built-in one, so that the command needs no file."""

    text: str
    builtin: bool


def command(spec: AbstractStudySpec) -> Command:
    """Return the shortest command that computes `spec`: of the built-in study of its name, else of a file.

    A spec that differs from the built-in study of its name in more than members and seed is a file's.
    """
    if spec.name in catalogue.studies():
        known = load(spec.name)
        own = spec.members if spec.kind == known.kind else None
        for members, seed in itertools.product(dict.fromkeys((None, own)), (None, spec.seed)):
            if known.replaced(members=members, seed=seed).computed() == spec.computed():
                options = [("--members", members), ("--seed", seed)]
                words = [f"{name} {value}" for name, value in options if value is not None]
                return Command(" ".join(["sparsedyn study run", spec.name, *words]), builtin=True)
    return Command(f"sparsedyn study run {spec.name}.toml", builtin=False)
