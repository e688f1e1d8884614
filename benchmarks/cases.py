"""Files of a folder of cases: read as they are, or with the options that their error names, and the law then found.

    python benchmarks/cases.py FOLDER

Prints a row per file, for `docs/measured.md`: which options were needed, what the error without them said first, and
what `SINDy(degree=1, threshold=1e-9)` found.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from sparsedyn import SINDy, SparsedynWarning, Trajectories, read

TANK: dict[str, Any] = {"states": "level", "inputs": "q", "time": "time"}
HEAT: dict[str, Any] = {"states": "T", "inputs": "P", "time": "t"}
GERMAN: dict[str, Any] = {"states": "Temperatur", "inputs": "Leistung", "time": "Zeit"}
LOGGER: dict[str, Any] = {"states": "Pressure", "inputs": "Valve", "time": "Time"}
NUMBERED: dict[str, Any] = {"states": "x2", "inputs": "x3", "time": "x1"}
BERLIN = {"time_zone": "Europe/Berlin"}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "converted.csv": (GERMAN, {}),
    "dates_epoch_ms.csv": (TANK, {}),
    "dates_local.csv": (TANK, BERLIN),
    "dates_offsets.csv": (TANK, {}),
    "dates_spring.csv": (TANK, BERLIN),
    "dates_zone_names.csv": (TANK, {}),
    "dayfirst.csv": (HEAT | {"time": "date"}, {}),
    "german.csv": (GERMAN, {"like": "excel-de"}),
    "german_points.csv": (GERMAN, {"day_first": True}),
    "logger_blank_end.csv": (LOGGER, {}),
    "logger_fixedwidth.csv": (LOGGER, {"separator": "whitespace"}),
    "logger_historian.csv": (LOGGER, {"missing": "Bad Input,No Data", "gaps": "cut"}),
    "logger_noheader.csv": (NUMBERED, {"header": False}),
    "logger_preamble.csv": (
        {"states": ["Pressure (bar)"], "inputs": ["Valve (%)"], "time": "Time (s)"},
        {"skip_rows": 4},
    ),
    "logger_ragged.csv": (LOGGER, {"gaps": "cut"}),
    "logger_sep.csv": (LOGGER, {}),
    "logger_trailing.csv": (LOGGER, {}),
    "logger_units.csv": (LOGGER, {"units_row": True}),
    "logger_units_quoted.csv": (LOGGER | {"states": ["Pressure, upper"]}, {"units_row": True}),
    "missing_cells.csv": ({"states": "n,c", "inputs": None, "time": "t", "trajectory": "subject"}, {"gaps": "cut"}),
    "names.csv": ({"states": "N,E,I,S", "inputs": "lambda,Q,beta"}, {"dt": 1.0}),
    "seconds_comma.csv": ({"states": "Leistung", "inputs": "Ventil", "time": "t"}, {"decimal": ","}),
    "switch.csv": (HEAT | {"inputs": "P,pump"}, {"true": "on", "false": "off"}),
    "switch_bool.csv": (HEAT | {"inputs": "P,pump"}, {}),
    "units_in_names.csv": ({"states": ["T [°C]"], "inputs": ["Fluß m³/h", "P (kW)"]}, {"dt": 1.0}),
}
LAWS: dict[str, dict[str, Any]] = {"missing_cells.csv": {"degree": 2, "threshold": 0.01}}


def tried(file: Path, columns: dict[str, Any], options: dict[str, Any]) -> Trajectories | str:
    """Return what is read, or the first line of the error."""
    try:
        return read(file, **columns, **options)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore", SparsedynWarning)
    pd.set_option("display.width", 200)
    print("| file | options | found | without the options |\n|---|---|---|---|")
    for name, (columns, options) in CASES.items():
        bare = tried(folder / name, columns, {})
        data = tried(folder / name, columns, options)
        found = data
        if isinstance(data, Trajectories):
            try:
                model = SINDy(**{"degree": 1, "threshold": 1e-9} | LAWS.get(name, {})).fit(data)
                found = "; ".join(model._summary(4))
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
        given = ", ".join(f"{key}={value!r}" for key, value in options.items()) or "none"
        print(f"| {name} | {given} | {found} | {'read' if isinstance(bare, Trajectories) else bare} |")


if __name__ == "__main__":
    main()
