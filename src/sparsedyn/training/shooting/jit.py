"""Options for Numba of the kernels of multiple shooting.

A division by zero gives no number instead of an error, which is quicker to compile.
"""

from typing import Any

CALLED: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
"""What Python calls: compiled when it is first called, and kept for other processes."""
INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""What only other compiled functions call: compiled with them, without what Python would need to call it."""
