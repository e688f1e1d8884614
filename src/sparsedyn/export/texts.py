"""Fitted models as texts, a function per target."""

from typing import Any

from sparsedyn.equations.notation import DIGITS
from sparsedyn.export import c, casadi_source, javascript, python, structured_text, symbolic
from sparsedyn.export.lowering import program
from sparsedyn.export.names import check_name
from sparsedyn.export.selection import selected
from sparsedyn.export.vectors import vectors_of


def to_c(
    model: Any,
    member: int | str | None = None,
    *,
    double: bool = True,
    name: str = "sparsedyn",
    substeps: int | None = None,
    only: str | None = None,
    jacobian: bool = False,
) -> str:
    """Return a header of C99 that needs math.h alone and allocates nothing.

    `void NAME_step(const double *x, const double *u, double *x_next)` gives the states of the next row,
    `NAME_rhs(x, u, dx)` derivatives and `NAME_output(x, u, y)` outputs, where the model has them. Without `double`,
    numbers are `float`. With `jacobian`, `NAME_step_jacobian(x, u, by_x, by_u)`, and the like of `rhs` and `output`,
    give derivatives, row by row. `NAME_inside(x, u)` says whether values are within the ranges of the training data.
    Compiled with `-DNAME_SELF_TEST`, it is a program that compares itself with `simulate`. For `member`, `substeps` and
    `only` see `program`.

    **Raises:** as `program`, and `ValueError` for a name that is no identifier, or a number beyond single precision.
    """
    check_name(name)
    whole = program(model, member, substeps=substeps)
    made, vectors = whole, vectors_of(model, whole, member)
    if only is not None:
        made = selected(whole, only)
        vectors = None if vectors is None else vectors.of(whole, made)
    return c.written(made, vectors, double=double, name=name, jacobian=jacobian)


def to_st(
    model: Any,
    member: int | str | None = None,
    *,
    double: bool = True,
    name: str = "sparsedyn",
    substeps: int | None = None,
    only: str | None = None,
) -> str:
    """Return function blocks in IEC 61131-3 structured text: `NAME_step`, and `NAME_rhs` or `NAME_output`.

    Inputs are `x_...` and `u_...`, outputs `n_...` (the next row), `d_...` (derivatives) and `y_...`, of type `LREAL`,
    or `REAL` without `double`. `NAME_inside` has the ranges of the training data as constants. Otherwise as `to_c`.
    """
    check_name(name)
    return structured_text.written(program(model, member, substeps=substeps, only=only), double=double, name=name)


def to_python(
    model: Any, member: int | str | None = None, *, substeps: int | None = None, only: str | None = None
) -> str:
    """Return Python source that needs NumPy alone: functions `rhs`, `step`, `output` of `x` and `u`."""
    return python.written(program(model, member, substeps=substeps, only=only))


def to_casadi(
    model: Any, member: int | str | None = None, *, substeps: int | None = None, only: str | None = None
) -> str:
    """Return a Python module that needs CasADi alone, and makes functions of SX: `f`, `step`, `output` of `x` and `u`.

    `sparsedyn.export.casadi` gives the functions themselves.
    """
    return casadi_source.written(program(model, member, substeps=substeps, only=only))


def to_javascript(
    model: Any,
    member: int | str | None = None,
    *,
    name: str = "sparsedyn",
    substeps: int | None = None,
    only: str | None = None,
) -> str:
    """Return JavaScript for a page or Node: an object `NAME` with functions `rhs`, `step`, `output` of arrays."""
    check_name(name)
    return javascript.written(program(model, member, substeps=substeps, only=only), name)


def to_sympy(model: Any, member: int | str | None = None, *, only: str | None = None) -> str:
    """Return Python source that makes SymPy expressions, lists `rhs`, `step` or `output`, with all digits."""
    return symbolic.sympy_source(program(model, member, shared=False, substeps=1, only=only))


def to_latex(model: Any, member: int | str | None = None, *, digits: int = DIGITS, only: str | None = None) -> str:
    """Return aligned equations for LaTeX with amsmath, constants to so many significant digits."""
    return symbolic.latex_source(program(model, member, shared=False, substeps=1, only=only), digits)
