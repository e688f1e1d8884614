from .lowering import program
from .program import Block, Program, Sum, Variable
from .texts import to_c, to_javascript, to_latex, to_python, to_st, to_sympy

__all__ = [
    "Block",
    "Program",
    "Sum",
    "Variable",
    "program",
    "to_c",
    "to_javascript",
    "to_latex",
    "to_python",
    "to_st",
    "to_sympy",
]
