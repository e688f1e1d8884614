"""What one output of a program needs."""

from dataclasses import replace

from sparsedyn.export.program import Block, Program, Variable, block_of


def selected(program: Program, name: str) -> Program:
    """Return the program of one output or state: the states that it depends on, and the inputs of these.

    A zero weight is no dependence; a function that happens to be constant is one.

    **Raises:** `ValueError` for a name that is none of an output or state.
    """
    targets = program.outputs or program.states
    if name not in [one.name for one in targets]:
        raise ValueError(f"only: expected the name of one of {', '.join(one.name for one in targets)}; got {name!r}.")
    place = [one.name for one in targets].index(name)
    moving = program.rhs or program.following
    of_output = None if program.output is None else _some(program.output, [place])
    states = _states(program, moving, [place] if of_output is None else _read(of_output, program.states))
    if moving is not None:
        moving = _some(moving, states)
    reads = frozenset().union(*(block.reads for block in (moving, of_output) if block is not None))
    return replace(
        program,
        states=tuple(program.states[i] for i in states),
        inputs=tuple(one for one in program.inputs if one.identifier in reads),
        outputs=() if of_output is None else (program.outputs[place],),
        rhs=None if program.rhs is None else moving,
        following=None if program.following is None else moving,
        output=of_output,
        notes=(*program.notes, f"What {name} needs, of {len(program.states)} states and {len(program.inputs)} inputs."),
    )


def _states(program: Program, moving: Block | None, wanted: list[int]) -> list[int]:
    """The places of states that others depend on, themselves among them."""
    found: set[int] = set()
    queue = list(wanted)
    while queue:
        one = queue.pop()
        if one not in found:
            found.add(one)
            queue += [] if moving is None else _read(_some(moving, [one]), program.states)
    return sorted(found)


def _some(block: Block, places: list[int]) -> Block:
    return block_of(block.assignments, [block.results[i] for i in places])


def _read(block: Block, part: tuple[Variable, ...]) -> list[int]:
    reads = block.reads
    return [i for i, one in enumerate(part) if one.identifier in reads]
