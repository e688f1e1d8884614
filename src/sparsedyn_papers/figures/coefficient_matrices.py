"""Coefficients of several members as matrices side by side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from sparsedyn.plotting import coefficients as draw_matrix
from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.matrices import MOST_NAMES, largest_of
from sparsedyn.plotting.style import styled
from sparsedyn.plotting.text import plain

COLUMNS = 6


@styled
def coefficient_matrices(
    coefficients: Float[np.ndarray, "member term latent"],
    *,
    terms: Sequence[str],
    names: Sequence[str],
    labels: Sequence[str],
    title: str,
) -> Figure:
    """Draw a matrix per member, a row per term and a column per equation; terms that are not there stay white.

    Colour is sign and logarithm of the size. After Champion et al. 2019, figure 3.
    """
    row = 0.155 if len(terms) <= MOST_NAMES else 0.05
    figure, axes = panels(len(labels), COLUMNS, max(0.5 + 0.42 * len(names), 1.25), row * len(terms) + 0.45)
    figure.set_figwidth(figure.get_figwidth() + 0.7)
    headline(figure, title)
    largest = largest_of(coefficients)
    for i, (ax, label) in enumerate(zip(axes, labels, strict=True)):
        table = pd.DataFrame(coefficients[i], index=list(terms), columns=list(names))
        draw_matrix(table, largest=largest, digits=None, ax=ax)
        ax.set_title(plain(label, 16))
        ax.tick_params(axis="y", labelsize=6.5)
        if i % COLUMNS:
            ax.set_yticklabels([])
    return figure
