"""Products of small matrices, held in vector registers: what a training step spends its time on.

A tile is a few rows by a few vectors of a product. Its sums stay in registers while the loop runs over the inner
dimension: per pass one load for every vector of the second factor, one broadcast for every row of the first. LLVM does
not find this form in loops that Numba compiles, so it is written out here. The first factor has strides of its own, so
that the same tiles multiply by a transposed matrix.
"""

from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

BYTES = 4
NEXT = np.int64(BYTES)
"""The stride from a number to the next: a constant of Python would have `multiply` compiled once more."""


def _registers() -> tuple[int, int]:
    """Return how many single-precision numbers a vector register holds, and how many registers there are."""
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16, 32
    return (8, 16) if features.get("avx2") and features.get("fma") else (4, 16)


LANES, REGISTERS = _registers()

# Heights of tiles by their width in vectors: their sums, a row of the second factor and a broadcast fit into registers.
_HEIGHTS: list[tuple[int, ...]] = [(12, 8, 4, 1), (10, 7, 4, 1), (8, 6, 4, 1), (6, 5, 4, 1)]
if REGISTERS == 16:
    _HEIGHTS = [(8, 4, 1), (5, 4, 1)]
_WIDEST = len(_HEIGHTS)
_NUMBER, _WORD = ir.FloatType(), ir.IntType(64)
_VECTOR = ir.VectorType(_NUMBER, LANES)


def _tiles(vectors: int) -> Any:
    """Return the function that writes a tile `vectors` wide, of one of the heights that there are."""

    @intrinsic
    def tile(typing, height, a, a_row, a_inner, b, b_row, c, c_row, inner):
        def generate(context, builder, signature, arguments):
            height, *rest = arguments
            done = builder.append_basic_block("done")
            chosen = builder.switch(height, done)
            for rows in _HEIGHTS[vectors - 1]:
                block = builder.append_basic_block(f"rows{rows}")
                chosen.add_case(ir.Constant(_WORD, rows), block)
                builder.position_at_end(block)
                _product(builder, rows, vectors, *rest)
                builder.branch(done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 9), generate

    return tile


def _product(builder, rows, vectors, a, a_row, a_inner, b, b_row, c, c_row, inner):
    """Write the loop over the inner dimension of a tile of these rows and vectors."""
    declared = ir.FunctionType(_VECTOR, (_VECTOR,) * 3)
    fused = cgutils.get_or_insert_function(builder.module, declared, f"llvm.fma.v{LANES}f32")
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    undefined, zero = ir.Constant(_VECTOR, ir.Undefined), ir.Constant(_VECTOR, [0.0] * LANES)

    def pointer(base, offset, kind):
        return builder.inttoptr(builder.add(base, offset), kind.as_pointer())

    places = [builder.mul(a_row, ir.Constant(_WORD, i)) for i in range(rows)]
    steps = [ir.Constant(_WORD, j * LANES * BYTES) for j in range(vectors)]
    before, loop, after = builder.block, builder.append_basic_block("inner"), builder.append_basic_block("store")
    builder.branch(loop)
    builder.position_at_end(loop)
    k, at, bt = (builder.phi(_WORD) for _ in range(3))
    sums = [[builder.phi(_VECTOR) for _ in range(vectors)] for _ in range(rows)]
    loaded = [builder.load(pointer(bt, step, _VECTOR), align=BYTES) for step in steps]
    for i in range(rows):
        one = builder.load(pointer(at, places[i], _NUMBER), align=BYTES)
        spread = builder.insert_element(undefined, one, ir.Constant(ir.IntType(32), 0))
        spread = builder.shuffle_vector(spread, undefined, everywhere)
        for j in range(vectors):
            total = builder.call(fused, (spread, loaded[j], sums[i][j]))
            sums[i][j].add_incoming(zero, before)
            sums[i][j].add_incoming(total, loop)
            sums[i][j] = total
    following = builder.add(k, ir.Constant(_WORD, 1))
    for phi, start, end in ((k, ir.Constant(_WORD, 0), following), (at, a, builder.add(at, a_inner)),
                            (bt, b, builder.add(bt, b_row))):  # fmt: skip
        phi.add_incoming(start, before)
        phi.add_incoming(end, loop)
    builder.cbranch(builder.icmp_signed("<", following, inner), loop, after)
    builder.position_at_end(after)
    for i in range(rows):
        row = builder.add(c, builder.mul(c_row, ir.Constant(_WORD, i)))
        for j in range(vectors):
            builder.store(sums[i][j], pointer(row, steps[j], _VECTOR), align=BYTES)


_one, _two, _three, _four = (_tiles(min(vectors, _WIDEST)) for vectors in (1, 2, 3, 4))
_TABLE = np.array([(*heights, *(1,) * (4 - len(heights))) for heights in _HEIGHTS])


@njit
def multiply(a, a_row, a_inner, b, b_row, c, c_row, rows, vectors, inner):
    """Write the product of `a` (rows, inner) and `b` (inner, vectors) to `c`; addresses, and strides in bytes."""
    while vectors > 0:
        width = min(vectors, _WIDEST)
        # The height that makes the least work; a tile costs its rows and what it takes to begin.
        height, least = 1, 4 * rows
        for candidate in _TABLE[width - 1]:
            cost = -(-rows // candidate) * (candidate + 3)
            if candidate <= rows and cost < least:
                height, least = candidate, cost
        for first in range(0, rows, height):
            # The last tile may overlap the one before, and writes the same again.
            start = min(first, rows - height)
            at, ct = a + start * a_row, c + start * c_row
            if width == 1:
                _one(height, at, a_row, a_inner, b, b_row, ct, c_row, inner)
            elif width == 2:
                _two(height, at, a_row, a_inner, b, b_row, ct, c_row, inner)
            elif width == 3:
                _three(height, at, a_row, a_inner, b, b_row, ct, c_row, inner)
            else:
                _four(height, at, a_row, a_inner, b, b_row, ct, c_row, inner)
        vectors -= width
        b += width * LANES * BYTES
        c += width * LANES * BYTES
