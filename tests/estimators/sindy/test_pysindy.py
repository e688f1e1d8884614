"""Models to PySINDy and back."""

import numpy as np
import pytest

from sparsedyn import SINDy
from sparsedyn.estimators import from_pysindy, to_pysindy

T = 0.01 * np.arange(400)
X = np.stack([np.sin(3 * T) + 0.1 * T, np.cos(2 * T)], axis=1)
U = np.sign(np.sin(T * 7))[:, None]


def test_the_install_command_is_given(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "pysindy", None)
    with pytest.raises(ImportError, match="pip install"):
        from_pysindy(None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("functions", [(), ("sin", "sqrt")])
def test_there_and_back(functions: tuple[str, ...]):
    pytest.importorskip("pysindy", reason="PySINDy is not installed")
    fitted = SINDy(2, 0.01, functions=functions).fit(X, T, U, names=["x", "y"], input_names=["push"])
    theirs = to_pysindy(fitted)
    np.testing.assert_allclose(theirs.predict(X, u=U), fitted.predict(X, U), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(theirs.coefficients(), fitted.coefficients_.T)
    back = from_pysindy(theirs)
    assert back.equations() == fitted.equations()
    assert (back.state_names_, back.input_names_) == (("x", "y"), ("push",))


@pytest.mark.filterwarnings("ignore")
def test_a_model_fitted_by_pysindy():
    peer = pytest.importorskip("pysindy", reason="PySINDy is not installed")
    theirs = peer.SINDy(optimizer=peer.STLSQ(threshold=0.05), feature_library=peer.PolynomialLibrary(degree=3))
    theirs.fit(X, t=T)
    ours = from_pysindy(theirs)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9, atol=1e-12)
    strange = peer.SINDy(feature_library=peer.FourierLibrary(n_frequencies=2)).fit(X, t=T)
    with pytest.raises(ValueError, match="expected monomials"):
        from_pysindy(strange)
