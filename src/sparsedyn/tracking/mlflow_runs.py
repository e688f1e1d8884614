"""Runs in MLflow: in an SQLite file, or on a server. Needs the extra `mlflow`."""

import math
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparsedyn.tracking.protocol import TrackedRun

FILE = "sqlite:///mlflow.db"
"""Where runs are kept unless told, as MLflow's own commands have it: in the working directory."""
KEY, PARENT = "sparsedyn.key", "mlflow.parentRunId"
LONGEST = 500
"""Characters of a value, at most, and of a name half as many: what every version of MLflow takes."""
ENVIRONMENT = {
    # Otherwise a server that is down would hold up work for minutes at every call.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Nothing is told to anyone but who keeps the runs.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""What MLflow is told unless the user says otherwise."""


class MLflow:
    """Runs of one experiment of MLflow; see `Tracker`.

    `uri` is that of a database or of a server, by default `MLFLOW_TRACKING_URI`, or else the file mlflow.db in the
    working directory; `experiment` is by default `MLFLOW_EXPERIMENT_NAME`, or else "sparsedyn". Runs are found again by
    their tag `sparsedyn.key`.

    Raises `ImportError` without MLflow, `mlflow.exceptions.MlflowException` where runs cannot be kept.
    """

    def __init__(self, uri: str | None = None, experiment: str | None = None):
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        self.uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or FILE
        self._mlflow = mlflow_module()
        self._client = self._mlflow.MlflowClient(tracking_uri=self.uri)
        name = experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "sparsedyn"
        found = self._client.get_experiment_by_name(name)
        self._experiment = self._client.create_experiment(name) if found is None else found.experiment_id

    def run(self, key: str, name: str, parent: TrackedRun | None = None) -> "MLflowRun":
        """Return the run of this key. A part that was not finished is begun anew, as its metrics would be doubled."""
        there = self._client.search_runs([self._experiment], f"tags.`{KEY}` = '{key}'")
        found = next((one for one in there if one.info.status == "FINISHED"), there[0] if there else None)
        if found is not None and (parent is None or found.info.status == "FINISHED"):
            return MLflowRun(self._mlflow, self._client, found)
        for one in there:
            self._client.delete_run(one.info.run_id)
        tags = {KEY: key} | ({PARENT: parent.id} if isinstance(parent, MLflowRun) else {})
        made = self._client.create_run(self._experiment, tags=tags, run_name=name)
        return MLflowRun(self._mlflow, self._client, made)


class MLflowRun:
    """One run; see `TrackedRun`."""

    def __init__(self, mlflow: Any, client: Any, run: Any):
        self._entities, self._client, self._run = mlflow.entities, client, run

    @property
    def id(self) -> str:
        """The name that MLflow gave it."""
        found: str = self._run.info.run_id
        return found

    @property
    def finished(self) -> bool:
        """Whether it was finished before."""
        return bool(self._run.info.status == "FINISHED")

    def log_parameters(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen; what is recorded already stays."""
        known = self._run.data.params
        params = [
            self._entities.Param(_name(key), str(value)[:LONGEST])
            for key, value in values.items()
            if _name(key) not in known
        ]
        for first in range(0, len(params), 100):
            self._client.log_batch(self.id, params=params[first : first + 100])

    def log_metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record finite numbers at a step."""
        now = round(1000 * time.time())
        metrics = [
            self._entities.Metric(_name(key), float(value), now, step)
            for key, value in values.items()
            if math.isfinite(value)
        ]
        for first in range(0, len(metrics), 1000):
            self._client.log_batch(self.id, metrics=metrics[first : first + 1000])

    def log_figure(self, path: Path) -> None:
        """Record a picture in the folder `figures`."""
        self._client.log_artifact(self.id, str(path), "figures")

    def log_artifact(self, path: Path) -> None:
        """Record any other file."""
        self._client.log_artifact(self.id, str(path))

    def end(self, *, complete: bool = True) -> None:
        """Close the run."""
        self._client.set_terminated(self.id, "FINISHED" if complete else "KILLED")


def mlflow_module() -> Any:
    """Return MLflow; raises `ImportError` that names the extra."""
    try:
        import mlflow
        import mlflow.entities
    except ImportError as error:
        raise ImportError(
            f'Tracking needs MLflow ({error}): pip install "sparsedyn[mlflow]".', name="mlflow"
        ) from error
    return mlflow


def _name(text: str) -> str:
    """Return a name that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", text, flags=re.ASCII)[: LONGEST // 2]
