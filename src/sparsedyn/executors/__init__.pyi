from .local import Local
from .protocol import Executor, ExecutorError, Finished, Lost, Report, Results, results
from .ray_cluster import Ray

__all__ = ["Executor", "ExecutorError", "Finished", "Local", "Lost", "Ray", "Report", "Results", "results"]
