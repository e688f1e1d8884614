"""Fitted models as objects of other packages, which extras install."""

from typing import Any

from sparsedyn.estimators import SparseTimeStepper
from sparsedyn.export import casadi_source, fmu, onnx
from sparsedyn.export.casadi_source import Functions
from sparsedyn.export.lowering import known_part, networks_of, program
from sparsedyn.export.names import check_name


def to_onnx(
    model: Any,
    member: int | str | None = None,
    *,
    double: bool = True,
    substeps: int | None = None,
    only: str | None = None,
) -> Any:
    """Return an `onnx.ModelProto` of opset 17: `x` (row, state) and `u` (row, input) to `x_next`, `dx` and `y`.

    There is what the model has: `x_next` are the states of the next row, `dx` derivatives, `y` outputs. Networks are
    `Gemm` and their activation, scaling folded into the weights, so that readers which know few operators, as that of
    do-mpc, read them; all others are operations on columns. Without `double`, numbers are 32 bits wide. For `member`,
    `substeps` and `only` see `program`. Needs the extra `onnx`.

    **Raises:** as `program`; `ImportError` without the extra; `ValueError` for functions that ONNX lacks.
    """
    made = program(model, member, substeps=substeps, only=only)
    if only is not None or not isinstance(model, SparseTimeStepper):
        return onnx.written(made, double=double)
    return onnx.written(
        made, double=double, models=networks_of(model, member), scaling=model.scaling_, known=known_part(model)
    )


def casadi(
    model: Any, member: int | str | None = None, *, substeps: int | None = None, only: str | None = None
) -> Functions:
    """Return functions of CasADi's SX: `f(x, u)` gives derivatives, `step(x, u)` the states of the next row.

    Columns are in the data's units. Maps have no `f`; `SparseStateSpace` has `output`, too, and `EquationRegressor`
    nothing else. They are what the module that `to_casadi` writes makes. For `member`, `substeps` and `only` see
    `program`. Needs the extra `casadi`.

    **Raises:** as `program`; `ImportError` without the extra.
    """
    return casadi_source.functions_of(program(model, member, substeps=substeps, only=only), "sparsedyn.export.casadi")


def do_mpc(model: Any, member: int | str | None = None, *, substeps: int | None = None, only: str | None = None) -> Any:
    """Return a `do_mpc.model.Model` in discrete time, whose step is the model's own; `setup()` is left to be called.

    Variables have the identifiers of exports, such as `x_level` and `u_feed`; outputs are expressions `y_...`. Before
    `setup()`, further expressions and parameters can be added. Needs the extra `do-mpc`.

    **Raises:** as `program`; `ImportError` without the extra; `ValueError` for a model without dynamics.
    """
    return casadi_source.do_mpc_model(program(model, member, substeps=substeps, only=only), "sparsedyn.export.do_mpc")


def to_fmu(
    model: Any,
    member: int | str | None = None,
    *,
    version: int = 2,
    name: str = "sparsedyn",
    substeps: int | None = None,
    only: str | None = None,
) -> bytes:
    """Return an FMU for co-simulation, of FMI 2.0 (`version` 2) or 3.0 (3), the content of a file `NAME.fmu`.

    Inputs are `u_...`; outputs are the states `x_...`, whose start values can be set, and `y_...`. The model steps by
    its own sample time: after a communication step, states are those of the last row within it. The FMU has its
    sources, and a library for the machine at hand, compiled by the compiler in the environment variable `CC`, or `cc`,
    `gcc` or `clang`. For `member`, `substeps` and `only` see `program`.

    **Raises:** as `program`; `ValueError` for a name that is no identifier and for another version;
    `FileNotFoundError` without a C compiler.
    """
    check_name(name)
    return fmu.written(program(model, member, substeps=substeps, only=only), version, name)
