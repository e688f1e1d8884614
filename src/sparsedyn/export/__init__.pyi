from .casadi_source import Functions
from .lowering import program
from .objects import casadi, do_mpc, to_fmu, to_onnx
from .program import Block, Program, Sum, Variable
from .texts import to_c, to_casadi, to_javascript, to_latex, to_python, to_st, to_sympy
from .whatif.page import explore

__all__ = [
    "Block",
    "Functions",
    "Program",
    "Sum",
    "Variable",
    "casadi",
    "do_mpc",
    "explore",
    "program",
    "to_c",
    "to_casadi",
    "to_fmu",
    "to_javascript",
    "to_latex",
    "to_onnx",
    "to_python",
    "to_st",
    "to_sympy",
]
