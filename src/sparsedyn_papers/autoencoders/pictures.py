"""The pictures of a study of SINDy autoencoders."""

from collections.abc import Sequence
from functools import partial
from html import escape

import numpy as np

from sparsedyn.forecast.metrics import VALID_BELOW
from sparsedyn.studies.cell_files import Stored
from sparsedyn.studies.figures.coefficient_matrices import coefficient_matrices
from sparsedyn.studies.page.picture import Picture
from sparsedyn_papers.champion2019.truth import Truth
from sparsedyn_papers.figures.latent_space import (
    coordinates_against_truth,
    coordinates_over_time,
    error_of_forecasts,
    frames,
    paths_in_truth,
)
from sparsedyn_papers.figures.phases import phase_curves

MOST_MATRICES = 24


def cell_pictures(cell: Stored, label: str, truth: Truth) -> list[Picture]:
    """Return the pictures of one cell; `label` is empty where there is only one."""
    facts, arrays = cell.facts, cell.arrays
    ending, prefix = (f": {label}" if label else ""), (f"{cell.slug}-" if label else "")
    of = f" ({escape(label)})" if label else ""
    best = facts["best"]
    order = sorted(facts["members"], key=lambda member: member["rank"])[:MOST_MATRICES]
    chosen = [member["member"] for member in order]
    labels = [f"{member['rank']}: {'right' if member['right'] else 'wrong'}" for member in order]
    true = "true_coefficients" in arrays
    prime = "'" * facts["order"]
    found = [
        Picture(
            f"{prefix}coefficients",
            "coefficients",
            f"Coefficient matrices of all members{ending}, in the order of the ranking.",
            f"Coefficients of all members{of}, by rank{', after the true ones' if true else ''}, in "
            "the coordinates in which the equations read best: blue positive, orange negative, darker is larger "
            "(logarithmic), white is no term.",
            partial(
                coefficient_matrices,
                np.concatenate([*([arrays["true_coefficients"][None]] if true else []), arrays["canonical"][chosen]]),
                terms=facts["terms"],
                names=[f"{name}{prime}" for name in facts["names"]],
                labels=["true", *labels] if true else labels,
                title=f"Coefficients{ending}",
            ),
        ),
        Picture(
            f"{prefix}latent",
            "latent",
            f"True coordinates against affine readings of the latent variables{ending}.",
            f"What an affine map of the latent variables of the first member makes of the true coordinates{of}. Nobody "
            "told it them.",
            partial(
                coordinates_against_truth,
                arrays["truth"],
                arrays["aligned"],
                names=truth.coordinates,
                r2=facts["members"][best]["r2"],
                title=f"Latent variables and truth{ending}",
            ),
        ),
    ]
    if "attractor_model" in arrays and truth.plane is not None:
        found.append(
            Picture(
                f"{prefix}attractors",
                "forecasts",
                f"The true attractor, the encoded test data, and the attractor of the discovered equation{ending}.",
                "Left the true equations, in the middle encoded test data, right the discovered equation alone, "
                f"followed for long{of}; latent variables by the affine map above.",
                partial(
                    paths_in_truth,
                    {
                        "true": arrays["attractor_truth"][None],
                        "encoded test data": arrays["path_encoded"],
                        "discovered equation": arrays["attractor_model"][None],
                    },
                    plane=truth.plane,
                    names=truth.coordinates,
                    title=f"Attractors{ending}",
                ),
            )
        )
    found.append(
        Picture(
            f"{prefix}paths",
            "forecasts",
            f"True, encoded and forecast coordinates over time{ending}.",
            f"Coordinates of test trajectories: the truth, the encoded measurements, and a forecast from the first one "
            f"alone{of}.",
            partial(
                coordinates_over_time,
                {
                    "true": arrays["path_truth"],
                    "encoded": arrays["path_encoded"],
                    "forecast": arrays["path_simulated"],
                },
                facts["dt"],
                names=truth.coordinates,
                title=f"Forecasts{ending}",
            ),
        )
    )
    if "frames_true" in arrays:
        times = (facts["dt"] * arrays["frame_rows"]).tolist()
        found.append(
            Picture(
                f"{prefix}frames",
                "forecasts",
                f"Frames of a test video: true, decoded, forecast and the difference of the first two{ending}.",
                f"Frames of a test video, as decoded from the encoded frame, and as forecast from the first one{of}.",
                partial(
                    frames,
                    {
                        "true": arrays["frames_true"],
                        "decoded": arrays["frames_decoded"],
                        "forecast": arrays["frames_simulated"],
                    },
                    times=times,
                    title=f"Frames{ending}",
                ),
            )
        )
    if len(arrays["step"]):
        found.append(
            Picture(
                f"{prefix}training",
                "training",
                f"Loss and number of terms over training{ending}.",
                f"Loss and number of terms of all members over the phases of training{of}. Phases minimize different "
                "sums, so that a jump between two says nothing.",
                partial(
                    phase_curves,
                    arrays["step"],
                    arrays["phase"],
                    arrays["loss"],
                    arrays["left"],
                    best=best,
                    title=f"Training{ending}",
                ),
            )
        )
    return found


def study_pictures(cells: Sequence[Stored]) -> list[Picture]:
    """Return the pictures that show all cells together."""
    names = {"forecast_test": "starts as in training", "forecast_beyond": "starts beyond training"}
    curves = {
        name: {str(cell.facts["label"]): np.asarray(cell.arrays[key], np.float64) for cell in cells}
        for key, name in names.items()
        if all(key in cell.arrays for cell in cells)
    }
    best = {str(cell.facts["label"]): int(cell.facts["best"]) for cell in cells}
    return [
        Picture(
            "forecast-errors",
            "forecasts",
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
    ]
