from .mlflow_runs import MLflow
from .protocol import TrackedRun, Tracker

__all__ = ["MLflow", "TrackedRun", "Tracker"]
