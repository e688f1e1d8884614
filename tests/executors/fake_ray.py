"""As much of Ray as its executor uses, in this process: workers that are lost as often as a test says."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    """As Ray's own."""


class RayTaskError(RayError):
    """What a task raised."""

    def __init__(self, cause: Exception):
        super().__init__(f"a traceback, and {cause}")
        self.cause = cause


class RuntimeEnvSetupError(RayError):
    """A worker that cannot be started."""


class FakeRay:
    """A cluster of so many CPUs; `losses` says how often the workers of an item are lost."""

    exceptions = SimpleNamespace(
        RayError=RayError, RayTaskError=RayTaskError, RuntimeEnvSetupError=RuntimeEnvSetupError
    )

    def __init__(self, cpus: int = 2, losses: dict[Any, int] | None = None):
        self.cpus = cpus
        self.losses = losses or {}
        self.connected = False
        self.cancelled: list[Any] = []
        self.killed: list[Any] = []
        self.refuses: Exception | None = None

    def is_initialized(self) -> bool:
        return self.connected

    def init(self, address: str, **options: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.connected = True

    def shutdown(self) -> None:
        self.connected = False

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self.cpus)} if self.cpus else {}

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **options: Any) -> Callable[[Any], Any]:
        def made(what: Any) -> Any:
            return SimpleNamespace(remote=self._actor(what) if isinstance(what, type) else self._task(what))

        return made

    def wait(self, references: Sequence[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        # The last one first: results come in any order.
        return [references[-1]], list(references[:-1])

    def get(self, reference: Any, timeout: float | None = None) -> Any:
        return reference()

    def cancel(self, reference: Any, force: bool) -> None:
        self.cancelled.append(reference)

    def kill(self, actor: Any) -> None:
        self.killed.append(actor)

    def _task(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def send(called: Any, shared: Any, item: Any, *rest: Any) -> Callable[[], Any]:
            def finish() -> Any:
                if self.losses.get(item, 0):
                    self.losses[item] -= 1
                    raise RayError("the worker is gone")
                try:
                    return function(called, shared, item, *rest)
                except RuntimeEnvSetupError:
                    raise
                except Exception as error:
                    raise RayTaskError(error) from error

            return finish

        return send

    def _actor(self, kind: type) -> Callable[[], Any]:
        def start() -> Any:
            actor = kind()
            methods = {
                name: SimpleNamespace(remote=lambda *given, own=name: self._later(actor, own, given))
                for name in ("tell", "take")
            }
            return SimpleNamespace(**methods)

        return start

    def _later(self, actor: Any, name: str, given: Sequence[Any]) -> Callable[[], Any]:
        result = getattr(actor, name)(*given)
        return lambda: result
