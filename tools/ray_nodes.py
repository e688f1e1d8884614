"""A Ray cluster on this machine whose nodes have one CPU each, and can be killed: for tests and `workers.py`.

`Nodes` starts this file as a process of its own, since Ray forks. A line on its standard input adds a second node or
kills it; the cluster ends with its standard input.
"""

import os
import subprocess
import sys
from types import TracebackType
from typing import Any

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 1024**2}


class Nodes:
    """A cluster of one node; `add` and `kill` add and kill a second one."""

    def __init__(self) -> None:
        # Workers would give way to everything else.
        environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.address = self._line()

    def add(self) -> None:
        """Add the second node."""
        self._tell("add")

    def kill(self) -> None:
        """Kill the processes of the second node, where there is one."""
        self._tell("kill")

    def __enter__(self) -> "Nodes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        # Ray writes to standard output, too.
        for line in self._process.stdout:
            if line.startswith("nodes: "):
                return line.removeprefix("nodes: ").strip()
        raise RuntimeError("the cluster has ended")


def main() -> None:
    """Keep a cluster, and do what standard input says."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    second = None
    print("nodes:", cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "add":
            second = cluster.add_node(**NODE)
        elif second is not None:
            cluster.remove_node(second, allow_graceful=False)
            second = None
        print("nodes: done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
