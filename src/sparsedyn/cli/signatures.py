"""Options that decorators add to commands, where Typer looks for them: in the signature and the annotations."""

import inspect
from collections.abc import Callable, Sequence


def retyped(
    run: Callable[..., None], command: Callable[..., None], added: Sequence[inspect.Parameter], *, without: str = ""
) -> Callable[..., None]:
    """Return `run` with the parameters of `command`, but for the one that is called `without`, and those added."""
    signature = inspect.signature(command)
    own = [parameter for name, parameter in signature.parameters.items() if name != without]
    run.__dict__["__signature__"] = signature.replace(parameters=[*own, *added])
    annotations = {name: value for name, value in command.__annotations__.items() if name != without}
    run.__annotations__ = annotations | {parameter.name: parameter.annotation for parameter in added}
    return run
