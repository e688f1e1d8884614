"""What every exported text says of itself."""

from sparsedyn._version import __version__
from sparsedyn.export.program import Program

BY = {"euler": "Euler", "rk4": "classical Runge-Kutta"}


def facts(program: Program, precision: str = "double") -> list[str]:
    """Return lines for a comment, yet to be made harmless."""
    lines = [f"Exported by sparsedyn {__version__}: {program.source}, {precision} precision."]
    for what, part in (("x", program.states), ("u", program.inputs), ("y", program.outputs)):
        if part:
            lines.append(f"{what}: " + ", ".join(one.name + (f" ({one.unit})" if one.unit else "") for one in part))
    if program.rhs is not None:
        times = f", {program.substeps} to a row" if program.substeps > 1 else ""
        lines.append(f"step: {BY[program.method]} steps{times}; a row is {program.dt:g} s. Inputs are held.")
    elif program.following is not None:
        lines.append(f"step: the states of the next row; a row is {program.dt:g} s.")
    return [*lines, *program.notes]
