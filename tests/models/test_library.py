"""The library: its order, its names, and that what is written is what is computed."""

import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.equations import compiled, symbol
from sparsedyn.models import PRIMITIVES, Library

FUNCTIONS = (PRIMITIVES["sin"], PRIMITIVES["division"])
VALUES = np.random.default_rng(0).uniform(0.5, 2.0, (7, 3))


def test_the_order_of_terms():
    library = Library(2, 2, FUNCTIONS)
    assert library.names(["x", "y"]) == (
        *("1", "x", "y", "x^2", "x y", "y^2", "sin(x)", "sin(y)", "division(x, y)", "division(y, x)"),
    )
    assert library.size == 10
    assert Library(2, 1, constant=False).names(["x", "y"]) == ("x", "y")
    assert len(Library(3, 5).monomials) == 56


def test_what_is_written_is_what_is_computed():
    library = Library(3, 3, FUNCTIONS)
    names = ["x", "y", "z"]
    written = compiled(library.expressions([symbol(name) for name in names]), names)(VALUES)
    np.testing.assert_allclose(library.evaluate(VALUES), written, rtol=1e-12)
    np.testing.assert_allclose(library(jnp.asarray(VALUES, jnp.float32)), written, rtol=1e-5)
    np.testing.assert_array_equal(library.evaluate(VALUES[0]), library.evaluate(VALUES)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variables": 0}, "variables"),
        ({"variables": 2, "degree": -1}, "degree"),
        ({"variables": 2, "degree": 0, "constant": False}, "at least one term"),
    ],
)
def test_libraries_that_cannot_be(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Library(**arguments)


def test_terms_come_first_on_the_host():
    library = Library(3, 3, FUNCTIONS)
    np.testing.assert_allclose(library.on_host(VALUES), library.evaluate(VALUES).T, rtol=1e-12)
