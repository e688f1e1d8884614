"""From logs as programs write them to the law of the plant."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import SINDy, SparsedynWarning, Trajectories, read

HOUR = 3600.0
ROWS = 60


def log(stamps: list[Any]) -> pd.DataFrame:
    """Rows an hour apart of level' = q / 3600 - level / 18000 per second, q held between rows."""
    q = np.repeat([1.0, 3.0, 0.5, 2.0, 1.5, 2.5], ROWS // 6)
    keep = np.exp(-0.2)
    level = [4.0]
    for value in q[:-1]:
        level.append(keep * level[-1] + (1 - keep) * 5 * value)
    return pd.DataFrame({"time": stamps, "level": np.round(level, 9), "q": q})


AUTUMN = pd.date_range("2023-10-28 00:00", periods=ROWS, freq="h", tz="Europe/Berlin")
SPRING = pd.date_range("2023-03-25 00:00", periods=ROWS, freq="h", tz="Europe/Berlin")
KINDS: dict[str, tuple[list[Any], dict[str, Any], dict[str, Any]]] = {
    "offsets": ([stamp.isoformat() for stamp in AUTUMN], {}, {}),
    "zones": (list(AUTUMN.strftime("%Y-%m-%d %H:%M:%S %Z")), {}, {}),
    "seconds": ([int(stamp.timestamp()) for stamp in AUTUMN], {}, {}),
    "local": (list(AUTUMN.strftime("%Y-%m-%d %H:%M")), {"time_zone": "Europe/Berlin"}, {}),
    "local in spring": (list(SPRING.strftime("%Y-%m-%d %H:%M")), {"time_zone": "Europe/Berlin"}, {}),
    "German": (
        list(AUTUMN.strftime("%d.%m.%Y %H:%M")),
        {"time_zone": "Europe/Berlin", "like": "excel-de"},
        {"sep": ";", "decimal": ","},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rates_are_per_second_whatever_the_dates(kind: str, tmp_path: Path):
    stamps, options, form = KINDS[kind]
    log(stamps).to_csv(tmp_path / "log.csv", index=False, **form)
    data = read(tmp_path / "log.csv", "level", "q", "time", **options)
    found = SINDy(degree=1, constant=False, threshold=1e-9).fit(data).coefficients()["level"]
    np.testing.assert_allclose(found, [-1 / (5 * HOUR), 1 / HOUR], rtol=1e-4)


def test_complete_rows_of_runs_with_missing_cells_give_the_law():
    """Prey and predators of sixty runs of eight rows; the law of the second is linear, of the first not."""
    rng = np.random.default_rng(0)
    rows = []
    for run in range(60):
        n, c = rng.uniform(2, 8), rng.uniform(0.5, 3)
        for row in range(8):
            rows.append({"run": run, "t": 0.5 * row, "n": n, "c": c})
            for _ in range(50):
                slope = 0.5 * n - 0.05 * n**2 - 0.2 * n * c
                middle, half = n + 0.005 * slope, c * np.exp(-0.3 * 0.005)
                n += 0.01 * (0.5 * middle - 0.05 * middle**2 - 0.2 * middle * half)
                c *= np.exp(-0.3 * 0.01)
    table = pd.DataFrame(rows)
    for name in ("n", "c"):
        table.loc[rng.choice(len(table), 35, replace=False), name] = np.nan
    with pytest.warns(SparsedynWarning, match="60 trajectories of 480 rows became"):
        data = Trajectories.from_pandas(table, "n,c", None, "t", "run", gaps="cut")
    found = SINDy(degree=2, threshold=0.01).fit(data).coefficients()
    expected = pd.DataFrame(0.0, index=found.index, columns=found.columns)
    expected.loc[["n", "n^2", "n c"], "n"] = [0.5, -0.05, -0.2]
    expected.loc["c", "c"] = -0.3
    np.testing.assert_allclose(found, expected, atol=2e-3)
