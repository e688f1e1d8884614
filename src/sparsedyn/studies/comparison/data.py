"""The trajectories of a study: simulated or read once, then stored in its directory."""

import numpy as np

from sparsedyn.data import DataError, Trajectories, read, write
from sparsedyn.studies.checksums import faults
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.comparison.tables import DataSpec
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.files import appearing
from sparsedyn.studies.store import Store
from sparsedyn.systems import simulate

PARTS = ("train", "validation", "test")


def seed_of(study_seed: int, part: str) -> int:
    """Return the seed of a part of the data: one for each part, a function of the study's seed alone."""
    return int(np.random.SeedSequence([study_seed, PARTS.index(part)]).generate_state(1)[0] >> 1)


def prepare(spec: StudySpec, store: Store) -> dict[str, Trajectories]:
    """Return the parts that the study uses; those not in its directory yet are made and stored.

    Raises `StudyError` where the test trajectories are shorter than a horizon.
    """
    counts = {"train": max(spec.data.train), "validation": spec.data.validation, "test": spec.data.test}
    wanted = {part: count for part, count in counts.items() if count}
    if not all(store.data_file(part).is_file() for part in wanted):
        made = _simulated(spec, wanted) if spec.data.system else _split(spec, wanted)
        with appearing(store.data_sums.parent) as room:
            for part in wanted:
                write(made[part], room / store.data_file(part).name)
    for file, why in faults(store.data_sums.parent):
        raise StudyError(
            f"{file}: expected the data of the study; this file {why}. Remove the folder {store.directory} and run the "
            "study again: results of other data are of no use beside it."
        )
    data = {part: read(store.data_file(part)) for part in wanted}
    longest = max(data["test"].lengths)
    if max(spec.horizons) > longest:
        raise StudyError(
            f"horizons: expected at most the {longest} rows of the longest test trajectory; got "
            f"{max(spec.horizons)}. Shorten the horizon."
        )
    return data


def _simulated(spec: StudySpec, counts: dict[str, int]) -> dict[str, Trajectories]:
    system, steps, dt = spec.data.system, spec.data.steps, spec.data.dt
    if system is None or steps is None:
        raise StudyError("data: expected a system and steps to simulate; got none. Give both.")
    return {part: simulate(system, count, steps, seed_of(spec.seed, part), dt=dt) for part, count in counts.items()}


def _split(spec: StudySpec, counts: dict[str, int]) -> dict[str, Trajectories]:
    whole = _gathered(spec.data)
    asked = sum(counts.values())
    if asked > len(whole):
        raise StudyError(
            f"data: expected at least {asked} trajectories (train + validation + test); the files hold "
            f"{len(whole)}. Ask for fewer, or name the column that separates trajectories with trajectory = ..."
        )
    if spec.data.steps is not None:
        whole = whole.head(spec.data.steps)
    share = {"train": 0, "validation": 0, "test": 0, **counts}
    parts = whole.split(**share, seed=seed_of(spec.seed, "train"))
    return dict(zip(counts, parts, strict=True))


def _gathered(data: DataSpec) -> Trajectories:
    """Read all files and concatenate their trajectories; names, units and sampling must agree."""
    files = data.files or ()
    loaded = [read(file, data.states, data.inputs, data.time, data.trajectory, data.dt) for file in files]
    first = loaded[0]
    for file, part in zip(files, loaded, strict=True):
        if not part.regular:
            raise DataError(
                f"{file}: expected regular times; got irregular ones. Resample the data to one sample time."
            )
    if len(loaded) == 1:
        return first
    for file, other in zip(files, loaded, strict=True):
        for what in ("state_names", "input_names", "dt"):
            got, expected = getattr(other, what), getattr(first, what)
            same = np.isclose(got, expected, rtol=1e-3) if what == "dt" else got == expected
            if not same:
                raise DataError(
                    f"{file}: expected the {what} of {files[0]}, {expected}; got {got}. Files of one study "
                    "must have the same columns and sampling."
                )
    return Trajectories(
        [states for part in loaded for states in part.states],
        [inputs for part in loaded for inputs in part.inputs] if first.input_names else None,
        dt=first.dt,
        state_names=first.state_names,
        input_names=first.input_names or None,
        state_units=first.state_units,
        input_units=first.input_units or None,
        labels=[f"{i + 1}: {label}" for i, part in enumerate(loaded) for label in part.labels],
        attrs={"files": list(files)},
    )
