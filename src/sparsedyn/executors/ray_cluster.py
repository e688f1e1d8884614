"""The workers of a Ray cluster that is running already. Needs the extra `ray`."""

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from sparsedyn.executors.protocol import ExecutorError, Finished, Function, Lost, Results

TRIES = 4
"""How often an item is sent whose workers are lost: what kills every worker must not go round for ever."""
EVERY = 1.0
"""Seconds between two reports of a worker, and between two looks at what is finished."""
TIMEOUT = 30.0
"""Seconds within which a cluster has to answer."""
ONE_THREAD = {
    name: "1" for name in ("SPARSEDYN_CPU_DEVICES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
}
"""The environment of workers. A cluster starts as many as there are cores: more threads would wait for each other."""


class Ray:
    """The workers of the Ray cluster at `address`, one per CPU; see `Executor`.

    `address` is `HOST:PORT` or `"auto"` from a machine of the cluster, `ray://HOST:10001` from any other. Workers need
    this package in the versions that are here, and no files in common. An item whose worker is lost is sent again,
    three times at most. Functions, arguments and results travel as Ray sends objects between its own processes, by
    pickle: use clusters that you trust. Leaving the context, or `close`, ends the connection.

    Raises `ImportError` without Ray, `ExecutorError` for a cluster that does not answer within `timeout` seconds.
    """

    def __init__(self, address: str = "auto", *, timeout: float = TIMEOUT):
        self.address = address
        self._ray = ray_module()
        # A connection that the user has made stays.
        self._own = not self._ray.is_initialized()
        if self._own:
            _connect(self._ray, address, timeout)

    @property
    def workers(self) -> int:
        """How many items are computed at once: the CPUs of the cluster."""
        return int(self._ray.cluster_resources().get("CPU", 0))

    def map(
        self,
        function: Function,
        shared: Any,
        items: Sequence[Any],
        *,
        on_report: Callable[[int, Any], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> Results:
        """Yield the results as they come; see `Executor.map`."""
        ray = self._ray
        if not self.workers:
            raise ExecutorError(f"{self.address}: expected a Ray cluster with CPUs; it has none. Add nodes to it.")
        # What is lost is sent again here rather than by Ray, which tries without end where memory is short.
        call = ray.remote(num_cpus=1, max_retries=0, runtime_env={"env_vars": ONE_THREAD})(_called)
        channel = ray.remote(num_cpus=0, max_restarts=-1)(_Channel).remote()
        common, lost = ray.put(shared), Counter[int]()

        def send(place: int) -> Any:
            return call.remote(function, common, items[place], place, channel)

        running = {send(place): place for place in range(len(items))}
        try:
            while running:
                if check is not None:
                    check()
                ready, _ = ray.wait(list(running), timeout=EVERY)
                _pass_on(ray, channel, on_report)
                for reference in ready:
                    place = running.pop(reference)
                    done = self._taken(place, reference)
                    if done is None:
                        lost[place] += 1
                        if on_report is not None:
                            on_report(place, Lost(lost[place]))
                        if lost[place] < TRIES:
                            running[send(place)] = place
                            continue
                        done = Finished(place, error=ExecutorError(f"its workers were lost, {TRIES} times."))
                    yield done
        finally:
            # Calls after the end of a connection would start a cluster here.
            if ray.is_initialized():
                for reference in running:
                    ray.cancel(reference, force=True)
                ray.kill(channel)

    def _taken(self, place: int, reference: Any) -> Finished | None:
        """Return what a worker left, None where the worker is gone."""
        errors = self._ray.exceptions
        try:
            return Finished(place, self._ray.get(reference))
        except errors.RayTaskError as error:
            cause = error.cause
            return Finished(place, error=cause if isinstance(cause, Exception) else error)
        except errors.RuntimeEnvSetupError as error:
            return Finished(place, error=ExecutorError(f"{self.address}: workers cannot be started ({error})."))
        except errors.RayError:
            return None

    def close(self) -> None:
        """End the connection to the cluster, unless it was there before."""
        if self._own:
            self._ray.shutdown()

    def __enter__(self) -> "Ray":
        """Return this executor."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the connection."""
        self.close()


class _Channel:
    """An actor that keeps the last report of every item until it is asked for."""

    def __init__(self) -> None:
        self.last: dict[int, Any] = {}

    def tell(self, place: int, what: Any) -> None:
        self.last[place] = what

    def take(self) -> dict[int, Any]:
        taken, self.last = self.last, {}
        return taken


def _called(function: Function, shared: Any, item: Any, place: int, channel: Any) -> Any:
    """Call a function on a worker, and send on what it reports, now and then."""
    told = -EVERY

    def report(what: Any) -> None:
        nonlocal told
        if time.monotonic() - told >= EVERY:
            channel.tell.remote(place, what)
            told = time.monotonic()

    return function(shared, item, report)


def _pass_on(ray: Any, channel: Any, on_report: Callable[[int, Any], None] | None) -> None:
    if on_report is None:
        return
    reports: dict[int, Any] = {}
    # The channel starts anew where its node is lost: what it held was only progress.
    with suppress(ray.exceptions.RayError):
        reports = ray.get(channel.take.remote(), timeout=EVERY)
    for place, what in reports.items():
        on_report(place, what)


def ray_module() -> Any:
    """Return Ray; raises `ImportError` that names the extra."""
    # Ray looks at these when it is imported and when it connects.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise ImportError(f'Many machines need Ray ({error}): pip install "sparsedyn[ray]".', name="ray") from error
    return ray


def _connect(ray: Any, address: str, timeout: float) -> None:
    _check_reachable(address, timeout)
    with _own_signals():
        try:
            ray.init(address, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
            raise ExecutorError(_unreachable(address, " ".join(str(error).split()))) from error


def _check_reachable(address: str, timeout: float) -> None:
    """Raise `ExecutorError` where nobody listens: Ray itself would try for minutes, or end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not address.startswith("ray://") and (address in ("auto", "local") or not host):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout).close()
    except (OSError, ValueError) as error:
        raise ExecutorError(_unreachable(address, str(error))) from error


def _unreachable(address: str, why: str) -> str:
    return (
        f"{address}: expected the address of a Ray cluster that runs; it cannot be reached ({why[:300]}). Start one "
        "with `ray start --head`, and give HOST:6379 on one of its machines, or ray://HOST:10001 from elsewhere."
    )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Leave the handling of SIGTERM as it is: Ray sets one that ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
