"""The systems of Champion et al. 2019 by their names in studies."""

from sparsedyn_papers.champion2019.lorenz import LORENZ
from sparsedyn_papers.champion2019.pendulum import PENDULUM
from sparsedyn_papers.champion2019.spiral import SPIRAL
from sparsedyn_papers.champion2019.truth import Truth

TRUTHS: dict[str, Truth] = {"lifted-lorenz": LORENZ, "pendulum-video": PENDULUM, "reaction-diffusion": SPIRAL}
