from .cross_validation import cross_validate
from .result import SearchResult
from .search import search
from .splitters import Fold, RollingOriginSplit, TrajectoryKFold

__all__ = ["Fold", "RollingOriginSplit", "SearchResult", "TrajectoryKFold", "cross_validate", "search"]
