"""scikit-learn's own checks: all of them for regressors, those that do not need a table for models of dynamics."""

from collections.abc import Callable
from typing import Any

import pytest
import sklearn
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from sparsedyn import EquationLearner, EquationRegressor, SINDy, SINDyAutoencoder, SparseTimeStepper

pytestmark = pytest.mark.usefixtures("as_users_run")

# The interface is checked, not what is found: networks of next to nothing, which compile for every shape of table.
REGRESSOR = EquationRegressor(
    trials=1, primitives={"identity": 3}, hidden=1, networks=1, generations=1, steps=2, proposals=False
)
FEW = "the check fits 10 samples, and fewer than 12 say nothing about a form"
CANNOT_PASS = {
    "check_dtype_object": "wants a TypeError; all that is wrong with data is a DataError, which is a ValueError",
    "check_estimators_nan_inf": FEW,
    "check_regressors_no_decision_function": FEW,
    "check_supervised_y_2d": "wants a warning where y is a column; one column is as good as a vector",
}

if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
    CANNOT_PASS |= {"check_n_features_in_after_fitting": FEW}


# Their data are mostly noise, of which equations explain nothing.
@pytest.mark.filterwarnings("ignore:fit. the equation:sparsedyn.SparsedynWarning")
@pytest.mark.slow
@parametrize_with_checks([REGRESSOR], expected_failed_checks=lambda _: CANNOT_PASS)
def test_a_regressor(estimator: Any, check: Callable[[Any], None]):
    check(estimator)


DYNAMICS = (SparseTimeStepper(), EquationLearner(), SINDy(), SINDyAutoencoder())
RUN = (
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)
TARGET = "fits X and y; models of dynamics have the times of rows in the place of y"
CONTRACT = f"{TARGET}. test_contract.py checks the same with trajectories"
MESSAGES = f"{TARGET}. test_inputs.py has the messages"
NOT_RUN = {
    "check_array_api_input": TARGET,
    "check_complex_data": MESSAGES,
    "check_dict_unchanged": CONTRACT,
    "check_dont_overwrite_parameters": CONTRACT,
    "check_dtype_object": MESSAGES,
    "check_estimator_sparse_array": TARGET,
    "check_estimator_sparse_matrix": TARGET,
    "check_estimator_sparse_tag": TARGET,
    "check_estimators_dtypes": CONTRACT,
    "check_estimators_empty_data_messages": MESSAGES,
    "check_estimators_fit_returns_self": CONTRACT,
    "check_estimators_nan_inf": MESSAGES,
    "check_estimators_overwrite_params": CONTRACT,
    "check_estimators_pickle": f"{TARGET}; files are of safetensors",
    "check_f_contiguous_array_estimator": TARGET,
    "check_fit1d": "wants one axis refused; here it is a run of one state",
    "check_fit2d_1feature": TARGET,
    "check_fit2d_1sample": MESSAGES,
    "check_fit2d_predict1d": "wants one axis refused; here it is one state",
    "check_fit_check_is_fitted": CONTRACT,
    "check_fit_idempotent": CONTRACT,
    "check_fit_score_takes_y": TARGET,
    "check_methods_sample_order_invariance": "rows of a trajectory have an order",
    "check_methods_subset_invariance": TARGET,
    "check_n_features_in": "variables have names: state_names_, input_names_",
    "check_n_features_in_after_fitting": "variables have names: state_names_, input_names_",
    "check_pipeline_consistency": TARGET,
    "check_positive_only_tag_during_fit": TARGET,
    "check_readonly_memmap_input": TARGET,
}


@pytest.mark.parametrize("name", RUN)
@pytest.mark.parametrize("estimator", DYNAMICS, ids=lambda estimator: type(estimator).__name__)
def test_models_of_dynamics(estimator: Any, name: str):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


def test_every_check_is_run_or_says_why_not():
    known = {
        getattr(check, "func", check).__name__
        for estimator in DYNAMICS
        for _, check in estimator_checks_generator(estimator)
    }
    # Earlier versions have fewer.
    assert known <= {*RUN, *NOT_RUN}
