"""The equation regressor from the outside: what it finds, that all its faces agree, and scikit-learn's conventions."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import sympy
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

import sparsedyn
from sparsedyn import DataError, EquationRegressor, Primitive, SparsedynWarning
from sparsedyn.equations import compiled, symbol, text
from sparsedyn.equations.symbolic import symbols
from sparsedyn.estimators.equation._poles import poles

# One shape of network and of data throughout, so that the search is compiled once.
ROWS = 60
QUICK: dict[str, Any] = {
    "proposals": False,
    "trials": 2,
    "primitives": {"constant": 1, "identity": 2, "sin": 1, "product": 1},
    "hidden": 1,
    "generations": 2,
    "steps": 40,
}
X = np.random.default_rng(0).uniform(-1, 1, (ROWS, 2))
FAR = np.random.default_rng(1).uniform(-2, 2, (100, 2))


def law(mass: Any, speed: Any) -> Any:
    return 0.37 * mass * speed + 21.3


def frame(rows: np.ndarray) -> pd.DataFrame:
    """Columns of very different sizes, far from zero mean."""
    return pd.DataFrame({"mass": 3e4 * (rows[:, 0] + 2), "speed": 2e-3 * rows[:, 1]})


@pytest.fixture(scope="module")
def fitted() -> EquationRegressor:
    table = frame(X)
    return EquationRegressor(**QUICK).fit(table, law(table["mass"], table["speed"]))


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (lambda a, b: a * b, "x0*x1"),
        pytest.param(lambda a, b: 2.53 * np.sin(a), "2.53*sin(x0)", marks=pytest.mark.slow),
        pytest.param(lambda a, b: 1.71 * a * b - b + 0.33, "1.71*x0*x1 - x1 + 0.33", marks=pytest.mark.slow),
    ],
)
def test_simple_laws_are_found_exactly(function: Callable[..., Any], written: str):
    regressor = EquationRegressor(**QUICK).fit(X, function(*X.T))
    assert text(regressor.equation()) == written
    np.testing.assert_allclose(regressor.predict(FAR), function(*FAR.T), rtol=1e-7, atol=1e-7)
    assert regressor.found_.exact.any()


@pytest.mark.slow
def test_gates_find_it_as_well():
    regressor = EquationRegressor(regularizer="l0", **QUICK).fit(X, X[:, 0] * X[:, 1])
    assert text(regressor.equation()) == "x0*x1"


def test_the_equation_is_in_the_names_and_units_of_the_table(fitted: EquationRegressor):
    assert text(fitted.equation()) == "0.37*mass*speed + 21.3"
    assert fitted.equation().free_symbols == {symbol("mass"), symbol("speed")}
    far = frame(FAR)
    np.testing.assert_allclose(fitted.predict(far), law(far["mass"], far["speed"]), rtol=1e-9)
    assert fitted.score(far, law(far["mass"], far["speed"])) == pytest.approx(1.0)


def test_equation_prediction_network_and_file_are_one(fitted: EquationRegressor, tmp_path: Path):
    far = frame(FAR)
    predicted = fitted.predict(far)
    names = ["mass", "speed"]
    np.testing.assert_array_equal(compiled([fitted.equation()], names)(far.to_numpy())[:, 0], predicted)
    substituted = [float(fitted.equation().subs({symbol(n): v for n, v in row.items()})) for _, row in far.iterrows()]
    np.testing.assert_allclose(substituted, predicted, rtol=1e-12)
    for law_ in fitted.candidates_:
        # A network sees columns divided by powers of two; its targets, too.
        scales = 2.0 ** np.round(np.log2(np.abs(frame(X).to_numpy()).max(axis=0)))
        targets = law(*frame(X).to_numpy().T)
        size = 2.0 ** np.round(np.log2(np.abs(targets - targets.mean()).max()))
        model = jax.tree.map(lambda w: jnp.asarray(w, jnp.float32), law_.model)
        columns = jnp.asarray(far.to_numpy() / scales, jnp.float32)
        network = size * np.asarray(jax.vmap(model)(columns, jnp.zeros((len(far), 0))), np.float64)[:, 0]
        written = compiled([law_.expression], names)(far.to_numpy())[:, 0]
        np.testing.assert_allclose(network, written, rtol=1e-5, atol=1e-5 * np.abs(written).max())
    fitted.save(tmp_path / "law.safetensors")
    back = sparsedyn.load(tmp_path / "law.safetensors")
    assert isinstance(back, EquationRegressor)
    assert back.equation() == fitted.equation()
    np.testing.assert_array_equal(back.predict(far), predicted)
    assert back.pareto().equals(fitted.pareto())
    assert back.get_params() == fitted.get_params()
    assert [p.name for p in tmp_path.iterdir()] == ["law.safetensors"]


def test_rounding(fitted: EquationRegressor):
    assert str(fitted.equation(digits=1)) == "0.4*mass*speed + 20"


def test_the_front_gets_better_with_complexity(fitted: EquationRegressor):
    table = fitted.pareto()
    assert list(table.columns) == ["complexity", "error", "weights", "score", "equation"]
    assert table["complexity"].is_monotonic_increasing
    assert table["error"].is_monotonic_decreasing
    assert fitted.equation() in list(table["equation"])
    assert all(isinstance(equation, sympy.Expr) for equation in table["equation"])
    assert table["score"].min() == fitted.candidates_[0].score


@pytest.mark.slow
def test_a_seed_settles_everything():
    target = np.exp(X[:, 0]) + X[:, 1] ** 2
    runs = [EquationRegressor(**QUICK | {"seed": seed}).fit(X, target) for seed in (3, 3, 4)]
    assert runs[0].equation() == runs[1].equation()
    assert runs[0].pareto().equals(runs[1].pareto())
    assert not runs[0].pareto().equals(runs[2].pareto())


def test_noise_is_no_part_of_the_equation():
    rng = np.random.default_rng(2)
    target = 2.0 * X[:, 0] * X[:, 1]
    regressor = EquationRegressor(**QUICK).fit(X, target + 0.05 * target.std() * rng.normal(size=ROWS))
    slope, rest = regressor.equation().as_coeff_Mul()
    assert rest == symbol("x0") * symbol("x1")
    assert float(slope) == pytest.approx(2.0, rel=0.03)
    assert 0.03 < regressor.candidates_[0].error < 0.08


def test_columns_go_by_name(fitted: EquationRegressor):
    far = frame(FAR)
    expected = fitted.predict(far)
    np.testing.assert_array_equal(fitted.predict(far[["speed", "mass"]].assign(other="x")), expected)
    np.testing.assert_array_equal(fitted.predict(far.to_numpy()), expected)
    with pytest.raises(DataError, match=r"X: .*\['speed'\] missing"):
        fitted.predict(far[["mass"]])
    with pytest.raises(DataError, match="X has 1 features, but predict is expecting 2"):
        fitted.predict(far[["mass"]].to_numpy())


@pytest.mark.slow
def test_a_function_of_ones_own_takes_three_lines(tmp_path: Path):
    gauss = Primitive("gauss", lambda g: jnp.exp(-g * g), lambda g: sympy.exp(-(g**2)))
    regressor = EquationRegressor(**QUICK | {"primitives": {gauss: 1, "constant": 1, "identity": 1}})
    regressor.fit(X, 1.5 * np.exp(-((2 * X[:, 0]) ** 2)) - X[:, 1])
    np.testing.assert_allclose(regressor.predict(FAR), 1.5 * np.exp(-4 * FAR[:, 0] ** 2) - FAR[:, 1], atol=1e-8)
    assert text(regressor.equation()) == "-x1 + 3*exp(-4*x0**2)/2"
    with pytest.raises(ValueError, match="primitives: gauss cannot be saved"):
        regressor.save(tmp_path / "own.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_scikit_learn_conventions(fitted: EquationRegressor):
    assert list(fitted.feature_names_in_) == ["mass", "speed"]
    assert fitted.n_features_in_ == 2
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "equation_")
    for call in (copy.equation, copy.pareto, lambda: copy.predict(X), lambda: copy.save("never")):
        with pytest.raises(NotFittedError, match="Call fit"):
            call()
    before = copy.get_params()
    assert copy.fit(X, X[:, 0] * X[:, 1]) is copy
    assert copy.get_params() == before
    scores = cross_val_score(EquationRegressor(**QUICK), X, X[:, 0] * X[:, 1], cv=2)
    np.testing.assert_allclose(scores, 1.0)


Y = X[:, 0] * X[:, 1]
HOLE = np.where(np.arange(ROWS) == 5, np.nan, X[:, 0])

BAD: dict[str, tuple[Any, Any, str]] = {
    "one column as a vector": (X[:, 0], Y, r"X: expected \(sample, feature\); got \(60,\)"),
    "no column": (X[:, :0], Y, r"X: expected \(sample, feature\)"),
    "text": (pd.DataFrame({"a": ["1"] * 59 + ["one"], "b": Y}), Y, "X: expected numbers"),
    "a hole": (np.stack([HOLE, X[:, 1]], axis=1), Y, r"X: expected finite numbers; got NaN at \(5, 0\)"),
    "an infinity": (X, np.where(np.arange(ROWS) == 7, np.inf, Y), r"y: expected finite numbers; got inf at \(7,\)"),
    "a constant column": (pd.DataFrame({"a": X[:, 0], "b": 3.0}), Y, r"X: column 'b' is constant \(3\)"),
    "a constant target": (X, np.ones(ROWS), "y: expected values that change; they are all 1"),
    "few samples": (X[:11], Y[:11], "X: expected at least 12 samples; got 11"),
    "other lengths": (X, Y[:50], r"y: expected \(60,\), a value for every row of X; got \(50,\)"),
    "two targets": (X, X, r"y: expected \(60,\).*got \(60, 2\)"),
    "names twice": (pd.DataFrame(X, columns=["a", "a"]), Y, "X: expected column names that differ"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_give_one_clear_message(case: str):
    given, target, message = BAD[case]
    with pytest.raises(DataError, match=message):
        EquationRegressor(**QUICK).fit(given, target)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("trials", -1, "trials: expected an integer of at least 0"),
        ("trials", 0, "trials: 0 leaves nothing to search with"),
        ("networks", True, "networks: expected an integer"),
        ("generations", 1.5, "generations: expected an integer"),
        ("steps", -1, "steps: expected an integer"),
        ("hidden", 0, "hidden: expected an integer"),
        ("seed", -1, "seed: expected an integer from 0"),
        ("regularizer", "l1", "regularizer: expected one of l05, l0; got 'l1'"),
        ("share", 1.0, "share: expected a share between 0 and 1"),
        ("primitives", "all", "primitives: expected one of general"),
        ("primitives", {"sine": 1}, "primitives: unknown primitive 'sine'"),
    ],
)
def test_bad_parameters_give_one_clear_message(parameter: str, value: Any, message: str, as_users_run: None):
    with pytest.raises(ValueError, match=message):
        EquationRegressor(**QUICK | {parameter: value}).fit(X, Y)


def test_a_damaged_file_is_refused(fitted: EquationRegressor, tmp_path: Path):
    from sparsedyn.training import CheckpointError, load_arrays, save_arrays

    fitted.save(tmp_path / "law.safetensors")
    arrays, header = load_arrays(tmp_path / "law.safetensors")
    header["laws"][0][0]["expression"] = "__import__('os')"
    save_arrays(tmp_path / "evil.safetensors", arrays, header)
    with pytest.raises(CheckpointError, match="does not fit"):
        sparsedyn.load(tmp_path / "evil.safetensors")


def refused(given: Any, target: Any, **changed: Any) -> str:
    """What is said of data or parameters that cannot be used."""
    with pytest.raises(ValueError, match="expected") as caught:
        EquationRegressor(**QUICK | changed).fit(given, target)
    return str(caught.value)


@pytest.mark.slow
def test_columns_are_found_again_whatever_their_names():
    law_ = Y + X[:, 1]
    for labels in ([2.5, "b"], pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")]), pd.to_datetime(["2020", "2021"])):
        table = pd.DataFrame(X, columns=labels)
        regressor = EquationRegressor(**QUICK).fit(table, law_)
        assert list(regressor.feature_names_in_) == [str(label) for label in table.columns]
        np.testing.assert_allclose(regressor.predict(table.iloc[:, ::-1]), law_, atol=1e-9)
    for labels in ([0, 1], [2, 7]):
        table = pd.DataFrame(X, columns=labels)
        regressor = EquationRegressor(**QUICK).fit(table, law_)
        assert list(regressor.feature_names_in_) == [f"x{label}" for label in labels]
        np.testing.assert_allclose(regressor.predict(table[labels[::-1]]), law_, atol=1e-9)
    for label in (np.nan, " ", None):
        assert "column 1 has none" in refused(pd.DataFrame(X, columns=["a", label]), law_)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "X: expected numbers; got None"),
        ([[1.0, 2.0], [3.0]], "X: expected rows of one length"),
        ([[10**400, 1.0]] * ROWS, "X: expected numbers"),
        (X + 1j, "X: .* complex"),
        (np.datetime64("2020-01-01") + np.arange(2 * ROWS).reshape(ROWS, 2), "X: .* dates"),
        (np.ma.masked_less(X, 0), "X: .* masked"),
        (X * 1e-310, "column 'x0': expected sizes from 1e-100 to 1e.100"),
        (np.sign(X) * 1.7e308, "column 'x0': expected sizes"),
        (X * 1e-14 + [1.0, 0.0], "which is rounding"),
    ],
)
def test_what_numpy_would_take_without_a_word_is_refused(given: Any, message: str, as_users_run: None):
    with pytest.raises(DataError, match=message):
        EquationRegressor(**QUICK).fit(given, Y)


def test_targets_out_of_range_are_refused():
    assert "y: expected sizes" in refused(X, Y * 1e-300)
    assert "which is rounding" in refused(X, Y + 1e13)


def test_both_parts_of_a_split_need_samples():
    assert "share: of 12 samples, 12 would be held out and 0 left to fit" in refused(X[:12], Y[:12], share=0.99)
    assert "share: of 60 samples, 1 would be held out" in refused(X, Y, share=0.02)
    outlier = np.zeros(ROWS)
    outlier[np.random.default_rng([0, ROWS]).permutation(ROWS)[0]] = 1.0
    assert "held-out samples only" in refused(X, outlier)


def test_large_constants_keep_their_digits():
    pull = EquationRegressor(**QUICK).fit(X, 8987551792.3 * Y)
    assert text(pull.equation(), 12) == "8987551792.3*x0*x1"
    assert text(pull.equation(), 3) == "8.99e+09*x0*x1"
    assert text(EquationRegressor(**QUICK).fit(X, 12345.0 * Y).equation(), 6) == "12345*x0*x1"


def test_a_fitted_regressor_can_be_handed_to_another_process(fitted: EquationRegressor):
    import pickle

    back = pickle.loads(pickle.dumps(fitted))
    assert back.equation() == fitted.equation()
    np.testing.assert_array_equal(back.predict(frame(FAR)), fitted.predict(frame(FAR)))
    table = {sparsedyn.PRIMITIVES["sin"]: 1, "constant": 1}
    assert next(iter(clone(EquationRegressor(primitives=table)).primitives)) is sparsedyn.PRIMITIVES["sin"]
    unfitted = pickle.loads(pickle.dumps(EquationRegressor(primitives=table)))
    assert unfitted.primitives == table


def test_functions_of_ones_own_are_tried():
    one = {"constant": 1, "identity": 1}
    other = Primitive("other", lambda g: jnp.exp(-g * g), lambda g: sympy.exp(-g))
    assert "'other': expected its function and its symbol, exp(-g0), to agree" in refused(X, Y, primitives={other: 1})
    plain = Primitive("plain", np.exp, sympy.exp)
    assert "'plain': expected a function of 1 JAX arrays" in refused(X, Y, primitives={plain: 1, **one})
    silent = Primitive("silent", jnp.exp, lambda a, b: a * b)
    assert "'silent': expected its symbol" in refused(X, Y, primitives={silent: 1, **one})


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["sin", "cos"], "primitives: expected one of general.*table of counts"),
        (None, "primitives: expected one of general"),
        (5, "primitives: expected one of general"),
        ({"constant": 99_999_999}, "at most 1000 for 'constant'"),
    ],
)
def test_primitives_are_a_name_or_a_table(chosen: Any, message: str, as_users_run: None):
    with pytest.raises(ValueError, match=message):
        EquationRegressor(**QUICK | {"primitives": chosen}).fit(X, Y)


def test_digits_are_a_number(fitted: EquationRegressor, as_users_run: None):
    with pytest.raises(ValueError, match="digits: expected an integer of at least 1; got 'a'"):
        fitted.equation("a")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_front_begins_with_the_mean():
    table = EquationRegressor(**QUICK).fit(X, np.exp(X[:, 0]) + 5).pareto()
    assert table["complexity"][0] == 1
    assert float(table["equation"][0]) == pytest.approx(np.mean(np.exp(X[:, 0]) + 5), rel=1e-6)
    assert 1.0 <= table["error"][0] < 1.3


def test_errors_that_are_rounding_are_equal(fitted: EquationRegressor):
    from sparsedyn.estimators.equation._expressions import table

    first = fitted.candidates_[0]
    longer = first._replace(complexity=first.complexity + 4, error=first.error / 2, score=first.score + 1)
    assert len(table([first._replace(error=5.2e-16), longer._replace(error=3.7e-16)])) == 1


def test_the_variables_of_an_equation_are_those_of_symbol(fitted: EquationRegressor):
    speed = symbol("speed")
    assert text(fitted.equation().diff(speed)) == "0.37*mass"
    assert text(fitted.equation().subs(speed, 2)) == "0.74*mass + 21.3"


def test_poles_among_the_data_are_those_of_denominators_that_change_sign():
    x, y = symbols(["x", "y"])
    columns = np.random.default_rng(0).uniform(0.5, 4, (200, 2))
    bases = poles(x + 4e-4 / sympy.cos(1.14 * x) + y / (x + y) + 1 / (x - 2) ** 2, ["x", "y"], columns)
    assert set(bases) == {sympy.cos(1.14 * x), x - 2}
    assert poles(sympy.tan(x), ["x", "y"], columns) == [sympy.cos(x)]
    assert poles(y / sympy.tan(x), ["x", "y"], columns) == [sympy.sin(x)]
    assert poles(x / y**2 + sympy.exp(-x), ["x", "y"], columns) == []


def test_a_pole_among_the_data_is_told():
    X = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    with pytest.warns(SparsedynWarning, match=r"pole among the data, where 3 - 10\*x0 is zero"):
        EquationRegressor(trials=0).fit(X, 1 / (X[:, 0] - 0.3))


@pytest.mark.slow
def test_few_samples_of_many_columns_give_an_equation_or_a_warning():
    columns = 10
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 3, (12, columns))
    y = x[:, 0] * np.sin(x[:, 1]) + x[:, -1] ** 2 + 0.1 * rng.normal(size=12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsedynWarning)
        fitted = EquationRegressor(trials=0).fit(x, y, progress=False)
    fresh = rng.uniform(1, 3, (200, columns))
    missed = fitted.predict(fresh) - fresh[:, 0] * np.sin(fresh[:, 1]) - fresh[:, -1] ** 2
    right = np.sqrt(np.mean(missed**2)) < 0.2
    assert right or {"few-values", "poorly-explained"} & {one.check for one in fitted.report_}
