"""Run, resume and report a study of any kind: here, and nowhere else, it is told which."""

from pathlib import Path

from sparsedyn.studies import runner
from sparsedyn.studies.equations import runner as equations_runner
from sparsedyn.studies.equations.spec import EquationsSpec
from sparsedyn.studies.events import OnEvent
from sparsedyn.studies.reading import AnyStudySpec
from sparsedyn.studies.store import Store


def run(
    spec: AnyStudySpec,
    directory: str | Path,
    *,
    on_event: OnEvent | None = None,
    members: int | None = None,
    seed: int | None = None,
) -> Path:
    """Run `spec` in `directory` and return the report's path; `members` and `seed` override the spec's own.

    A directory that holds the same study is gone on with: finished cells stay as they are, training resumes
    from its checkpoint, and the results are those of an uninterrupted run to the last bit. Raises
    `StudyError` for a directory of anything else, `StudyInterrupted` on Ctrl-C.
    """
    spec = spec.replaced(members=members, seed=seed)
    if isinstance(spec, EquationsSpec):
        return equations_runner.run(spec, directory, on_event=on_event)
    return runner.run(spec, directory, on_event=on_event)


def resume(directory: str | Path, *, on_event: OnEvent | None = None) -> Path:
    """Go on with the study that `directory` holds; see `run`."""
    return run(Store(Path(directory)).spec(), directory, on_event=on_event)


def report(directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew, draw its report again, and return the report's path."""
    spec = Store(Path(directory)).spec()
    if isinstance(spec, EquationsSpec):
        return equations_runner.report(spec, directory)
    return runner.report(spec, directory)
