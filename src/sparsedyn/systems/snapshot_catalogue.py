"""The sources of snapshots that have a name in study specifications."""

from collections.abc import Callable

from sparsedyn.data import Snapshots
from sparsedyn.systems.lifted_lorenz import lifted_lorenz
from sparsedyn.systems.pendulum_video import pendulum_video
from sparsedyn.systems.reaction_diffusion import reaction_diffusion

SNAPSHOT_SYSTEMS: dict[str, Callable[..., Snapshots]] = {
    "lifted-lorenz": lifted_lorenz,
    "pendulum-video": pendulum_video,
    "reaction-diffusion": reaction_diffusion,
}
