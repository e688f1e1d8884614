"""Units of columns: read from texts or exponents, and dimensional groups (Buckingham 1914)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import sympy

from sparsedyn.data import DataError

Unit: TypeAlias = str | int | Mapping[str, Any] | None
Dimension: TypeAlias = dict[str, Fraction]
"""Exponents of base units; nothing where there is none."""


@cache
def registry() -> Any:
    """Return pint's registry; importing it takes a moment."""
    import pint

    return pint.UnitRegistry()


def exponents_of(unit: Unit, what: str, *, base: bool = False) -> tuple[float, Dimension]:
    """Return exponents of the units that a unit is written with, or of SI base units, and the factor before these.

    A unit is a text that pint reads, exponents by names of units such as `{"m": 1, "s": -2}`, or nothing for a number.
    **Raises:** `DataError` for anything else.
    """
    try:
        made = registry().Quantity(1.0, "" if unit is None or unit == 1 or isinstance(unit, Mapping) else str(unit))
        if isinstance(unit, Mapping):
            for name, power in unit.items():
                made = made * registry().Quantity(1.0, name) ** Fraction(power).limit_denominator(60)
        made = made.to_base_units() if base else made
    except Exception as error:  # pint raises what its parser does.
        raise DataError(
            f"units: {what}: expected a unit that pint knows, such as 'm/s**2', or exponents such as "
            f"{{'m': 1, 's': -2}}; got {unit!r} ({type(error).__name__}: {error})."
        ) from error
    return float(made.magnitude), {
        str(name): Fraction(power).limit_denominator(60)
        for name, power in made.unit_items()
        if power and str(name) != "radian"
    }


def dimension_of(unit: Unit, what: str) -> Dimension:
    """Return the exponents of SI base units.

    **Raises:** `DataError` as `exponents_of`, and for units that are multiples of SI's: constants would hide factors.
    """
    size, found = exponents_of(unit, what, base=True)
    if abs(size - 1) > 1e-12:
        raise DataError(
            f"units: {what}: expected a unit of the SI without factors; one {unit} is {size:.10g} {written(found)}. "
            f"Multiply the column by {size:.10g} and give the unit '{written(found)}'."
        )
    return found


def checked_units(
    units: Mapping[str, Unit] | None, names: Sequence[str], target: str
) -> tuple[dict[str, Dimension], Dimension] | None:
    """Return dimensions of columns and target, or nothing where no units were given.

    **Raises:** `DataError` for names that are no columns, and for columns without a unit.
    """
    if units is None:
        return None
    known = [*names, target]
    unknown = [name for name in units if name not in known]
    missing = [name for name in known if name not in units]
    if unknown or missing:
        raise DataError(
            f"units: expected one for every column and for the target, {', '.join(map(repr, known))}; "
            + "; ".join(
                part
                for part in (
                    f"{', '.join(map(repr, unknown))} unknown" if unknown else "",
                    f"{', '.join(map(repr, missing))} missing" if missing else "",
                )
                if part
            )
            + ". Use 1 or None for numbers."
        )
    found = {name: dimension_of(units[name], repr(name)) for name in known}
    return {name: found[name] for name in names}, found[target]


def written(dimension: Mapping[str, Fraction]) -> str:
    """Return a dimension as a text such as `kg*m**2/s**2`, empty for a number."""
    short = {name: f"{registry().Unit(name):~}" for name in dimension}
    above = [_power(short[name], power) for name, power in sorted(dimension.items()) if power > 0]
    below = [_power(short[name], -power) for name, power in sorted(dimension.items()) if power < 0]
    top = "*".join(above) or ("1" if below else "")
    return top + (("/" + ("(" + "*".join(below) + ")" if len(below) > 1 else below[0])) if below else "")


def _power(name: str, power: Fraction) -> str:
    if power == 1:
        return name
    return f"{name}**{power}" if power.denominator == 1 else f"{name}**({power})"


def groups(
    dimensions: Sequence[Dimension], target: Dimension, preferred: Sequence[bool], *, backwards: bool = False
) -> tuple[list[list[Fraction]], list[Fraction]] | None:
    """Return exponents of dimensionless groups of columns, and of a product of columns with the target's dimension.

    Nothing where no product of columns has it: then some constant has a dimension. Columns that are `preferred` take
    any power, those of simple units first, or last if `backwards`; each of the others is in one group at most, to the
    first power, where that can be.
    """
    bases = sorted({name for one in [*dimensions, target] for name in one})
    sizes = [float(sum(map(abs, one.values()))) * (-1 if backwards else 1) for one in dimensions]
    order = sorted(range(len(dimensions)), key=lambda i: (not preferred[i], not dimensions[i], sizes[i]))
    matrix = (
        sympy.Matrix(
            [
                [sympy.Rational(dimensions[i].get(base, 0)) for i in order] + [sympy.Rational(target.get(base, 0))]
                for base in bases
            ]
        )
        if bases
        else sympy.zeros(0, len(order) + 1)
    )
    reduced, pivots = matrix.rref() if bases else (matrix, ())
    if len(order) in pivots:
        return None
    free = [j for j in range(len(order)) if j not in pivots]
    found = []
    for j in free:
        row = [Fraction(0)] * len(order)
        row[order[j]] = Fraction(1)
        for place, pivot in enumerate(pivots):
            row[order[pivot]] = Fraction(int(-reduced[place, j].p), int(reduced[place, j].q))
        found.append(row)
    outer = [Fraction(0)] * len(order)
    for place, pivot in enumerate(pivots):
        value = reduced[place, len(order)]
        outer[order[pivot]] = Fraction(int(value.p), int(value.q))
    return found, outer


def constant_dimensions(
    expression: sympy.Expr, dimensions: Mapping[sympy.Symbol, Dimension], target: Dimension
) -> dict[sympy.Expr, Dimension] | None:
    """Return which dimension every constant of an equation must have, or nothing where the equation has none that fit.

    Constants that are only right as plain numbers, such as exponents, have none.
    """
    found: dict[sympy.Expr, Dimension] = {}
    return found if _fits(expression, dimensions, target, found) else None


def _fits(
    expr: sympy.Expr,
    dimensions: Mapping[sympy.Symbol, Dimension],
    wanted: Dimension,
    found: dict[sympy.Expr, Dimension],
) -> bool:
    """Whether an expression can have a dimension, with constants that have the dimensions in `found`."""
    if not expr.free_symbols:
        return _given(expr, wanted, found)
    if expr.is_Symbol:
        return dimensions[expr] == wanted
    if expr.is_Add:
        return all(_fits(term, dimensions, wanted, found) for term in expr.args)
    if expr.is_Mul:
        constants = [factor for factor in expr.args if not factor.free_symbols]
        others = [factor for factor in expr.args if factor.free_symbols]
        total: Dimension = {}
        for factor in others:
            own = _own(factor, dimensions, found)
            if own is None:
                # Its constants take whatever is left.
                rest = times(wanted, total, -1)
                for other in others:
                    if other is not factor:
                        more = _own(other, dimensions, found)
                        rest = times(rest, more or {}, -1)
                return _fits(factor, dimensions, rest, found)
            total = times(total, own)
        missing = times(wanted, total, -1)
        if not missing:
            return True
        return bool(constants) and _given(sympy.Mul(*constants), missing, found)
    if expr.is_Pow and not expr.exp.free_symbols:
        power = Fraction(float(expr.exp)).limit_denominator(60)
        return bool(power) and _fits(expr.base, dimensions, {k: v / power for k, v in wanted.items()}, found)
    if expr.is_Pow:
        return not wanted and all(_fits(part, dimensions, {}, found) for part in expr.args)
    if isinstance(expr, sympy.Abs):
        return _fits(expr.args[0], dimensions, wanted, found)
    return not wanted and all(_fits(part, dimensions, {}, found) for part in expr.args)


def _own(
    expr: sympy.Expr, dimensions: Mapping[sympy.Symbol, Dimension], found: dict[sympy.Expr, Dimension]
) -> Dimension | None:
    """The dimension that an expression has whatever its constants, or nothing where they decide."""
    if expr.is_Symbol:
        return dimensions[expr]
    if expr.is_Pow and not expr.exp.free_symbols:
        own = _own(expr.base, dimensions, found)
        power = Fraction(float(expr.exp)).limit_denominator(60)
        return None if own is None else {k: v * power for k, v in own.items()}
    if expr.is_Mul:
        if any(not factor.free_symbols for factor in expr.args):
            return None
        total: Dimension = {}
        for factor in expr.args:
            own = _own(factor, dimensions, found)
            if own is None:
                return None
            total = times(total, own)
        return total
    if expr.is_Add:
        owns = [_own(term, dimensions, found) for term in expr.args if term.free_symbols]
        known = [own for own in owns if own is not None]
        if known and all(_fits(term, dimensions, known[0], found) for term in expr.args):
            return known[0]
        return None
    if isinstance(expr, sympy.Abs):
        return _own(expr.args[0], dimensions, found)
    return {} if _fits(expr, dimensions, {}, found) else None


def _given(constant: sympy.Expr, wanted: Dimension, found: dict[sympy.Expr, Dimension]) -> bool:
    if constant in found and found[constant] != wanted:
        return False
    if wanted:
        found[constant] = wanted
    return True


def times(one: Dimension, other: Dimension, power: int = 1) -> Dimension:
    """Return the dimension of a product, the other factor to a power."""
    made = dict(one)
    for name, value in other.items():
        made[name] = made.get(name, Fraction(0)) + power * value
    return {name: value for name, value in made.items() if value}
