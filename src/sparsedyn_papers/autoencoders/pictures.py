"""The pictures of a study of SINDy autoencoders."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from sparsedyn.forecast.metrics import VALID_BELOW
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document import Picture, plain
from sparsedyn_papers.champion2019.truth import Truth
from sparsedyn_papers.figures.coefficient_matrices import coefficient_matrices
from sparsedyn_papers.figures.forecasts import error_of_forecasts, frames
from sparsedyn_papers.figures.paths import coordinates_over_time, paths_in_truth
from sparsedyn_papers.figures.phases import phase_curves
from sparsedyn_papers.figures.truths import coordinates_against_truth

MOST_MATRICES = 24


class CellPictures(NamedTuple):
    """The pictures of one cell, by the section that they belong to."""

    coefficients: list[Picture]
    latent: list[Picture]
    forecasts: list[Picture]
    training: list[Picture]


class _Named(NamedTuple):
    """A cell and what its pictures are called: its label, empty where there is only one cell."""

    cell: StoredCell
    label: str

    @property
    def ending(self) -> str:
        return f": {self.label}" if self.label else ""

    @property
    def of(self) -> str:
        return f" ({plain(self.label)})" if self.label else ""

    def file(self, name: str) -> str:
        return f"{self.cell.slug}-{name}" if self.label else name


def cell_pictures(cell: StoredCell, label: str, truth: Truth) -> CellPictures:
    """Return the pictures of one cell; `label` is empty where there is only one."""
    named = _Named(cell, label)
    return CellPictures(
        coefficients=[_coefficients(named)],
        latent=[_latent(named, truth)],
        forecasts=[*_attractors(named, truth), _paths(named, truth), *_frames(named)],
        training=_training(named),
    )


def forecast_errors(cells: Sequence[StoredCell]) -> Picture:
    """Return the picture of the errors of forecasts of all cells."""
    names = {"forecast_test": "starts as in training", "forecast_beyond": "starts beyond training"}
    curves = {
        name: {str(cell.facts["label"]): np.asarray(cell.arrays[key], np.float64) for cell in cells}
        for key, name in names.items()
        if all(key in cell.arrays for cell in cells)
    }
    best = {str(cell.facts["label"]): int(cell.facts["best"]) for cell in cells}
    return Picture(
        "forecast-errors",
        "Relative error of forecasts over time, all members.",
        "Relative error of forecasts of all measured variables from new initial states, median over test "
        f"trajectories; thick the first of the ranking, thin the other members. Dotted: {VALID_BELOW}, where a "
        "forecast stops being valid.",
        partial(
            error_of_forecasts,
            curves,
            best,
            float(cells[0].facts["dt"]),
            below=VALID_BELOW,
            title="Errors of forecasts",
        ),
    )


def _coefficients(named: _Named) -> Picture:
    facts, arrays = named.cell.facts, named.cell.arrays
    order = sorted(facts["members"], key=lambda member: member["rank"])[:MOST_MATRICES]
    chosen = [member["member"] for member in order]
    labels = [f"{member['rank']}: {'right' if member['right'] else 'wrong'}" for member in order]
    true = "true_coefficients" in arrays
    prime = "'" * facts["order"]
    return Picture(
        named.file("coefficients"),
        f"Coefficient matrices of all members{named.ending}, in the order of the ranking.",
        f"Coefficients of all members{named.of}, by rank{', after the true ones' if true else ''}, in the coordinates "
        "in which the equations read best: blue positive, orange negative, darker is larger (logarithmic), white is no "
        "term.",
        partial(
            coefficient_matrices,
            np.concatenate([*([arrays["true_coefficients"][None]] if true else []), arrays["canonical"][chosen]]),
            terms=facts["terms"],
            names=[f"{name}{prime}" for name in facts["names"]],
            labels=["true", *labels] if true else labels,
            title=f"Coefficients{named.ending}",
        ),
    )


def _latent(named: _Named, truth: Truth) -> Picture:
    facts, arrays = named.cell.facts, named.cell.arrays
    return Picture(
        named.file("latent"),
        f"True coordinates against affine readings of the latent variables{named.ending}.",
        "What an affine map of the latent variables of the first member makes of the true coordinates, which were not "
        f"used in training{named.of}.",
        partial(
            coordinates_against_truth,
            arrays["truth"],
            arrays["aligned"],
            names=truth.coordinates,
            r2=facts["members"][facts["best"]]["r2"],
            title=f"Latent variables and truth{named.ending}",
        ),
    )


def _attractors(named: _Named, truth: Truth) -> list[Picture]:
    arrays = named.cell.arrays
    if "attractor_model" not in arrays or truth.plane is None:
        return []
    paths = {
        "true": arrays["attractor_truth"][None],
        "encoded test data": arrays["path_encoded"],
        "discovered equation": arrays["attractor_model"][None],
    }
    title = f"Attractors{named.ending}"
    return [
        Picture(
            named.file("attractors"),
            f"The true attractor, the encoded test data, and the attractor of the discovered equation{named.ending}.",
            "Left the true equations, in the middle encoded test data, right a long path of the discovered equation "
            f"alone{named.of}; latent variables by the affine map above.",
            partial(paths_in_truth, paths, plane=truth.plane, names=truth.coordinates, title=title),
        )
    ]


def _paths(named: _Named, truth: Truth) -> Picture:
    facts, arrays = named.cell.facts, named.cell.arrays
    paths = {
        "true": arrays["path_truth"],
        "encoded": arrays["path_encoded"],
        "forecast": arrays["path_simulated"],
    }
    title = f"Forecasts{named.ending}"
    return Picture(
        named.file("paths"),
        f"True, encoded and forecast coordinates over time{named.ending}.",
        "Coordinates of test trajectories: the truth, the encoded measurements, and a forecast from the first "
        f"measurement alone{named.of}.",
        partial(coordinates_over_time, paths, facts["dt"], names=truth.coordinates, title=title),
    )


def _frames(named: _Named) -> list[Picture]:
    facts, arrays = named.cell.facts, named.cell.arrays
    if "frames_true" not in arrays:
        return []
    shown = {
        "true": arrays["frames_true"],
        "decoded": arrays["frames_decoded"],
        "forecast": arrays["frames_simulated"],
    }
    times = (facts["dt"] * arrays["frame_rows"]).tolist()
    return [
        Picture(
            named.file("frames"),
            f"Frames of a test video: true, decoded, forecast and the difference of the first two{named.ending}.",
            f"Frames of a test video, as decoded from the encoded frame, and as forecast from the first one{named.of}.",
            partial(frames, shown, times=times, title=f"Frames{named.ending}"),
        )
    ]


def _training(named: _Named) -> list[Picture]:
    facts, arrays = named.cell.facts, named.cell.arrays
    if not len(arrays["step"]):
        return []
    curves = (arrays[name] for name in ("step", "phase", "loss", "left"))
    title = f"Training{named.ending}"
    return [
        Picture(
            named.file("training"),
            f"Loss and number of terms over training{named.ending}.",
            f"Loss and number of terms of all members over the phases of training{named.of}. Phases minimize different "
            "sums, so that a jump between two of them says nothing.",
            partial(phase_curves, *curves, best=facts["best"], title=title),
        )
    ]
