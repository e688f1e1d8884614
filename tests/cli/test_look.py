"""`look`, and the commands it names: a raw log with every obstacle, looked at, fitted and forecast."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest

from .conftest import QUICK

ROWS = 400


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A preamble, old encoding, decimal commas, German dates over the end of summer time, units, switches, bad cells,
    a gap, rows of one time, a short line, separators at the ends of lines, empty lines at the end."""
    rng = np.random.default_rng(0)
    stamps = pd.date_range("2023-10-28 20:00", periods=ROWS, freq="1min", tz="Europe/Berlin") + pd.Timedelta(hours=4)
    valve = np.repeat(rng.choice([1.0, 3.0, 0.5, 2.0], ROWS // 10), 10)
    pump = np.repeat(rng.choice(["ein", "aus"], ROWS // 20), 20)
    level = [4.0]
    for value, on in zip(valve[:-1], pump, strict=False):
        level.append(0.9 * level[-1] + value * (0.5 if on == "ein" else 0.2))
    lines = [
        f"{stamp:%d.%m.%Y %H:%M};{x:.4f};{u:.1f};{p};".replace(".", ",").replace(",", ".", 2)
        for stamp, x, u, p in zip(stamps, level, valve, pump, strict=True)
    ]
    cells = [line.split(";") for line in lines]
    cells[50][1] = "Bad Input"
    cells[90] = cells[90][:2]
    lines = [";".join(row) for row in cells]
    del lines[200:210]
    lines.insert(120, lines[120])
    head = ["Aufzeichnung 7", "Gerät;0001", "", "Zeit;Füllstand;Ventil;Pumpe;", "min;m;%;;"]
    path = tmp_path_factory.mktemp("log") / "log.csv"
    path.write_bytes("\r\n".join([*head, *lines, ";;;;", ""]).encode("cp1252"))
    return path


def test_three_commands_take_a_raw_log_to_a_forecast(run, log):
    seen = run("look", log, "--json", "-o", log.parent / "pictures", "--time-zone", "Europe/Berlin")
    assert seen.exit_code == 0, seen.stderr
    facts = json.loads(seen.stdout)
    assert facts["options"] == {
        "separator": ";", "decimal": ",", "encoding": "cp1252", "skip_rows": 3, "units_row": True,
        "missing": ["Bad Input"], "true": ["ein"], "false": ["aus"], "day_first": True, "gaps": "cut",
        "time_zone": "Europe/Berlin",
    }  # fmt: skip
    assert (facts["states"], facts["inputs"]) == (["Füllstand"], ["Ventil", "Pumpe"])
    assert facts["time"]["step"] == 60.0
    assert (facts["time"]["gaps"], facts["time"]["duplicates"], facts["time"]["backward"]) == (1, 1, 0)
    assert (log.parent / "pictures" / "columns.png").read_bytes().startswith(b"\x89PNG")

    typed = shlex.split(facts["next"])[1:-2]
    model = log.parent / "model.safetensors"
    fitted = run(*typed, "--duplicates", "first", "-o", model, *QUICK)
    assert fitted.exit_code == 0, fitted.stderr
    said = " ".join(fitted.stderr.split())
    assert "1 rows of a time that another row has were merged with it (first)" in said
    assert "Cut at gaps: 1 trajectory of 390 rows became 4 of 388; lost are 2 rows with missing cells" in said

    forecast = run("forecast", model, log, "--horizons", "10", "--json")
    assert forecast.exit_code == 0, forecast.stderr
    assert len(json.loads(forecast.stdout)["trajectories"]) == 4


def test_what_look_shows(run, log):
    shown = run("look", log)
    text = " ".join(shown.stdout.split())
    assert "text that is not UTF-8, cp1252 perhaps, cells between ;" in text
    assert "--encoding cp1252" in text
    assert "60 steps backward" in text or "1 step backward" in text
    assert "Next" in text
    assert "sparsedyn fit" in text


def test_options_of_reading_are_usage(run, log):
    wrong = run("look", log, "--decimal", ";")
    assert (wrong.exit_code, "--decimal" in wrong.stderr) == (2, True)
    other = run("fit", log, "--states", "Füllstand", "--dt", 1, "-o", log.parent / "none", *QUICK)
    assert other.exit_code == 3
    assert "--skip-rows 3 --units-row" in " ".join(other.stderr.split())
