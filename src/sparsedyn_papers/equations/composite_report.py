"""The reports on equation learners inside larger networks: sums of digits, and propagated systems."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document import Column, Document, Picture, Section, Table, Text, code, plain
from sparsedyn.studies.document.frame import framed
from sparsedyn.studies.document.words import DASH, percent, plural, quantity
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.equations.composite import HEADS, in_words
from sparsedyn_papers.equations.spec import EquationsSpec
from sparsedyn_papers.figures.paths import propagated_curves
from sparsedyn_papers.figures.truths import latent_against_truth, predicted_against_true
from sparsedyn_papers.kim2019.digits import BELOW

SERIES = (0, 1, 2)
"""Test series that are drawn."""
PARAMETERS = {"kinematics": "acceleration a", "oscillator": "omega²"}
PUBLISHED_EQUATIONS = {
    "digits": (
        ("paper: EQL", "y = -1.809 z1 - 1.802 z2 + 9"),
        ("paper: EQL, trained on y < 15", "y = -1.56 z1 - 1.56 z2 + 8.66"),
    ),
    "kinematics": (
        ("true", "u' = u + v + a/2; v' = v + a"),
        ("paper: EQL", "u' = 1.002 u + 1.002 v - 0.475 z; v' = 1.002 v - 0.918 z - 0.102"),
    ),
    "oscillator": (
        ("true, first order", "u' = u + 0.1 v; v' = v - 0.1 omega^2 u"),
        (
            "paper: EQL",
            "u' = 0.994 u + 0.0992 v - 0.0031; v' = 0.995 v - 0.0492 u + 0.084 u z + 0.0037 v z + 0.0133 z^2",
        ),
    ),
}
"""Kim et al. 2019, tables I, III and IV; in the last, a letter d of the paper's is read as u."""
PUBLISHED = {
    "digits": "The paper has 83 % and 0.6 % on sums from 15 on, 91 % and 92 % below, on MNIST.",
    "kinematics": "The paper reports a correlation close to −1, and equations that hold for some steps beyond "
    "training while the ReLU network leaves the true curve at once.",
    "oscillator": "The paper reports a correlation of −0.995, equations that err less than the Euler scheme, and a "
    "ReLU network that fails beyond training.",
}
SCALES = (
    "The encoded variable z has a scale of its own in every training: coefficients of z differ, the form should not."
)
CHOICE = "Trials are chosen by validation data of the kind that was trained on; the figures are those of test data."
DIGITS_COLUMNS = {
    "below": "below 15: test",
    "above": "from 15 on: test",
    "correlation": "correlation",
    "weights": "weights",
    "equation": "equation",
}
TEXTS = ("equation", "equations")
DIGITS_MEANINGS = {
    "right": "The predicted sum, rounded, is the sum of the two digits.",
    "below 15, from 15 on": "Training sees pairs of images with a sum below 15 only; larger sums are never seen.",
    "correlation": "Between the encoded test images and their digits, which training does not use.",
    "chosen": CHOICE,
}
PROPAGATION_MEANINGS = {
    "error": "Root mean square over states and test series at a step.",
    "correlation": "Between the encoded test series and the true parameter, which training does not use.",
    "Euler scheme": "The explicit first-order scheme with the true equations and the true parameter.",
    "chosen": CHOICE,
}


def digits_document(study: StoredStudy[EquationsSpec]) -> Document:
    """Return the report on sums of digits."""
    results = study.results
    eql, relu = (results[results["head"] == HEADS[name]] for name in ("eql", "relu"))
    answer = [
        f"With an equation at its end the network gets **{percent(eql['above_test'].mean())}** of the sums right "
        f"that it has never seen the like of (15 and more, test images); with a ReLU network at its end, "
        f"**{percent(relu['above_test'].mean())}**. On sums below 15, as in training, it is "
        f"{percent(eql['below_test'].mean())} and {percent(relu['below_test'].mean())}. Both are the trials chosen by "
        f"validation images; the medians of all trials from 15 on are {_median_above(study, 'eql')} and "
        f"{_median_above(study, 'relu')}.",
        f"The encoded images follow their digits with a correlation of {_correlation(eql['correlation'])}.",
        PUBLISHED["digits"],
    ]
    columns = [
        Column("network's end", text=True),
        Column("below 15: test", group=True),
        Column("training images"),
        Column("paper, test"),
        Column("from 15 on: test", group=True),
        Column("training images"),
        Column("paper, test"),
        Column("mean error, test", group=True),
        Column("weights"),
    ]
    rows = [
        [
            plain(row["head"] + _of_seed(study, row["seed"])),
            *(percent(row[name]) for name in ("below_test", "below_train", "published_below")),
            *(percent(row[name]) for name in ("above_test", "above_train", "published_above")),
            quantity(row["mean_error_test"]),
            f"{row['weights']:,}",
        ]
        for row in results.to_dict("records")
    ]
    latent, sums = _digits_pictures(study.cells[0])
    sections = [
        Section("results", "Results", [Table(columns, rows)]),
        Section("equations", "The equations", [Text(SCALES), _equations(study, eql, "digits")]),
        Section("latent", "What the encoder makes of a digit", [latent]),
        Section("sums", "Predicted sums", [sums]),
        Section("trials", "All trials", [_trials(study, "head", DIGITS_COLUMNS)]),
    ]
    trials = int(results["trials"].max())
    splits = plural(len(study.cells), "split")
    size = f"{plural(trials, 'trial')} of each network, {splits} of the images {results['images'].iloc[0]}."
    return framed(study, sections, size=size, answer=answer, meanings=DIGITS_MEANINGS)


def _median_above(study: StoredStudy[EquationsSpec], head: str) -> str:
    """Write the median over trials of the share of right sums of test images from 15 on."""
    trials = [trial for cell in study.cells for trial in cell.facts["trials"] if trial["head"] == head]
    return percent(float(np.median([trial["above"][1] for trial in trials])))


def propagation_document(study: StoredStudy[EquationsSpec]) -> Document:
    """Return the report on a propagated system."""
    results = study.results
    system = str(results["system"].iloc[0])
    rows = {name: results[results["model"] == HEADS[name]] for name in HEADS}
    span, beyond = int(results["steps_span"].iloc[0]), int(results["steps_beyond"].iloc[0])
    ours = rows["eql"]["error_beyond"].mean()
    others = [
        f"{quantity(float(part['error_beyond'].mean()))} with the {plain(HEADS[name])}"
        for name, part in rows.items()
        if name != "eql" and len(part)
    ]
    correlation = _correlation(rows["eql"]["correlation"])
    answer = [
        f"After {beyond} steps, four times as many as in training, the error is **{quantity(float(ours))}** with "
        f"equations, {' and '.join(others)}.",
        f"The encoded series follow the true parameter with a correlation of {correlation}.",
        PUBLISHED[system],
    ]
    columns = [
        Column("model", text=True),
        Column(f"error after {span} steps", group=True),
        Column(f"after {2 * span}"),
        Column(f"after {beyond}"),
        Column("correlation", group=True),
        Column("weights"),
    ]
    lines = [
        [
            plain(row["model"] + _of_seed(study, row["seed"])),
            *(quantity(row[name]) for name in ("error_span", "error_twice", "error_beyond")),
            _correlation([row["correlation"]]) if np.isfinite(row["correlation"]) else DASH,
            f"{row['weights']:,}" if row["weights"] else DASH,
        ]
        for row in results.to_dict("records")
    ]
    columns_of_trials = {
        "validation": "validation error",
        "span": f"error after {span} steps",
        "twice": f"after {2 * span}",
        "beyond": f"after {beyond}",
        "correlation": "correlation",
        "weights": "weights",
        "equations": "equations",
    }
    latent, curves = _propagation_pictures(study.cells[0], system)
    sections = [
        Section("results", "Results", [Table(columns, lines)]),
        Section("equations", "The equations", [Text(SCALES), _equations(study, rows["eql"], system)]),
        Section("latent", "What the encoder makes of a series", [latent]),
        Section("curves", "Beyond the span of training", [curves]),
        Section("trials", "All trials", [_trials(study, "cell", columns_of_trials)]),
    ]
    trials = int(results["trials"].max())
    sets = plural(len(study.cells), "set")
    size = f"{plural(trials, 'trial')} of each network, trained on {span} steps, {sets} of data."
    return framed(study, sections, size=size, answer=answer, meanings=PROPAGATION_MEANINGS)


def kept_digits(cells: Sequence[StoredCell]) -> list[StoredCell]:
    """Return the cells with no more than the page and the table need: arrays of the first one, which is drawn."""
    return [cell if i == 0 else cell._replace(arrays={}) for i, cell in enumerate(cells)]


def kept_propagation(cells: Sequence[StoredCell]) -> list[StoredCell]:
    """Return the cells with no more than the page and the table need: errors, and what is drawn of the first one."""
    return [cell._replace(arrays=dict(_shown_arrays(cell, drawn=i == 0))) for i, cell in enumerate(cells)]


def _shown_arrays(cell: StoredCell, *, drawn: bool) -> Iterator[tuple[str, np.ndarray]]:
    for name, values in cell.arrays.items():
        if drawn or name.startswith("error_"):
            yield name, values[: max(SERIES) + 1] if name.startswith("curve_") else values


def _of_seed(study: StoredStudy[EquationsSpec], seed: int) -> str:
    """Name the seed of data where there are several."""
    return f", seed {seed}" if len(study.cells) > 1 else ""


def _equations(study: StoredStudy[EquationsSpec], chosen: pd.DataFrame, what: str) -> Table:
    """The equations that were read off, beside the paper's."""
    records = chosen.to_dict("records")
    ours = [[f"ours{_of_seed(study, row['seed'])}", code(row["equation"])] for row in records]
    theirs = [[plain(name), code(equation)] for name, equation in PUBLISHED_EQUATIONS[what]]
    return Table([Column("", text=True), Column("equation", text=True)], ours + theirs)


def _trials(study: StoredStudy[EquationsSpec], kind: str, columns: Mapping[str, str]) -> Table:
    """A row per trial: what its `kind` says it is, and the values that `columns` name."""
    heads = [Column("trial", text=True)]
    heads += [Column(heading, text=name in TEXTS) for name, heading in columns.items()]
    rows = []
    for cell in study.cells:
        for trial in cell.facts["trials"]:
            name = f"{HEADS[trial[kind]]} {trial['trial'] + 1}{_of_seed(study, cell.facts['seed'])}"
            rows.append([plain(name), *(_value(name, trial[name]) for name in columns)])
    return Table(heads, rows)


def _value(name: str, value: object) -> str:
    if name in TEXTS:
        return code(in_words(value) if isinstance(value, list) else str(value))
    if isinstance(value, list):
        # Of training and test images, the test images.
        return percent(float(value[1])) if value[1] is not None else DASH
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return DASH
    return _correlation([value]) if name == "correlation" else quantity(value)


def _correlation(values: Iterable[float]) -> str:
    return " and ".join(f"{value:.5f}".replace("-", "−") for value in values)


def _pairs(cell: StoredCell, name: str) -> list[np.ndarray]:
    return [np.asarray(cell.arrays[f"{name}_{part}"], np.float64) for part in ("train", "test")]


def _digits_pictures(cell: StoredCell) -> list[Picture]:
    images = ("training images", "test images")
    return [
        Picture(
            name="latent",
            alt="Scatter: the encoded variable against the true digit, for training and test images.",
            caption="The encoded variable against the digit on the image, with the line that fits best. Training "
            "sees sums below 15 only, never the digits.",
            draw=lambda: latent_against_truth(
                _pairs(cell, "digit"), _pairs(cell, "latent"), labels=images, name="true digit", title="Encoded digits"
            ),
        ),
        Picture(
            name="sums",
            alt="Scatter: the predicted sum against the true sum, for training and test images.",
            caption="Sums predicted by the chosen equation, against the true ones. Dotted: the largest sums of "
            "training lie left of it.",
            draw=lambda: predicted_against_true(
                _pairs(cell, "wanted"),
                _pairs(cell, "predicted"),
                labels=images,
                name="sum",
                title="Predicted sums",
                below=BELOW,
            ),
        ),
    ]


def _propagation_pictures(cell: StoredCell, system: str) -> list[Picture]:
    curves = {
        name: np.asarray(cell.arrays[f"curve_{name}"], np.float64)
        for name in ("true", *HEADS)
        if f"curve_{name}" in cell.arrays
    }
    return [
        Picture(
            name="latent",
            alt="Scatter: the encoded variable against the true parameter, for training and test series.",
            caption="The encoded variable against the true parameter of each series, with the line that fits best.",
            draw=lambda: latent_against_truth(
                _pairs(cell, "parameter"),
                _pairs(cell, "latent"),
                labels=("training series", "test series"),
                name=PARAMETERS[system],
                title="Encoded parameters",
            ),
        ),
        Picture(
            name="curves",
            alt="Lines: position and velocity of test series, true and as propagated by each model.",
            caption="Test series, true and propagated from their initial state with the parameter that the encoder "
            "read off another series. Training ends at the dotted line.",
            draw=lambda: propagated_curves(
                curves,
                np.asarray(cell.arrays["time"], np.float64),
                span=int(cell.facts["span"]),
                names=("position u", "velocity v"),
                samples=[i for i in SERIES if i < len(curves["true"])],
                time_label="time",
                title="Propagated beyond the span of training",
            ),
        ),
    ]
