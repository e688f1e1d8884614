"""What the studies of these tests, whose networks are trained for seconds, need not do at length."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def hasty_readings(hasty_coordinates: None) -> Iterator[None]:
    """Give up early where an equation is compared with the truth, from which it is far."""
    from sparsedyn_papers.champion2019 import lorenz

    least_squares = lorenz.least_squares

    def hasty(*args: Any, **settings: Any) -> Any:
        return least_squares(*args, **settings | {"max_nfev": 200})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lorenz, "least_squares", hasty)
        yield
