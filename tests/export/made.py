"""Small models of every kind, made rather than trained."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import sympy

import sparsedyn
from sparsedyn import MLP, Library, Scaling, SINDy, SparseStateSpace, SparseTimeStepper
from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators._delays import NO_DELAYS, Delays
from sparsedyn.estimators._known import known_of
from sparsedyn.estimators.sindy._fitting import Identified
from sparsedyn.models import StateSpace

STORED = Path(__file__).parents[1] / "estimators" / "stored"
NAMES = Variables(("level", "heat"), ("feed",), ("m", "K"), ("kg/s",), 0.1)
SCALING = Scaling(
    np.asarray([2.0, 1200.0]), np.asarray([0.5, 8.0]), np.asarray([0.3]), np.asarray([0.1]), np.asarray([0.01, -0.2]),
    np.asarray([0.4, 6.0]),
)  # fmt: skip


def stepper(
    activation: str = "tanh",
    members: int = 1,
    *,
    skip: bool = False,
    bias: bool = True,
    names: Variables = NAMES,
    scaling: Scaling = SCALING,
    known: dict[str, str] | None = None,
    per: float = 1.0,
    **options: Any,
) -> SparseTimeStepper:
    """An ensemble of sparse networks whose states return to where they came from."""
    states, inputs = len(names.state_names), len(names.input_names)
    made = SparseTimeStepper(hidden=(8, 6), activation=activation, skip=skip, bias=bias, members=members, **options)
    rng = np.random.default_rng(3)

    def one(key: Any) -> MLP:
        return MLP(states, inputs, (8, 6), activation=activation, skip=skip, bias=bias, key=key)

    model = jax.eval_shape(lambda: jax.vmap(one)(jax.random.split(jax.random.key(0), members)))

    def sparse(leaf: Any) -> np.ndarray:
        values = 0.5 * rng.normal(size=leaf.shape)
        return (values * (rng.random(leaf.shape) < 0.5) if leaf.ndim == 3 else values).astype(np.float32)

    model = jax.tree.map(sparse, model)
    # States decay: by a skip of the inputs, or along units that hand on a state and its negative.
    first, middle, last = model.weights
    last *= 0.2
    if skip:
        last[:, 6 : 6 + states] -= np.eye(states, dtype=np.float32)
    else:
        for i in range(states):
            for sign, unit in ((1, 2 * i), (-1, 2 * i + 1)):
                first[:, :, unit], middle[:, :, unit] = 0, 0
                first[:, i, unit], middle[:, unit, unit], last[:, unit, i] = sign, 1, -sign
    made.models_, made.active_, made.scaling_, made.variables_ = model, None, scaling, names
    made.alive_, made.steps_, made.time_ = np.ones(members, bool), 1, made.time
    made.known_ = (
        None
        if known is None
        else known_of(known, (*names.state_names, *names.input_names), names.state_names).over(per)
    )
    losses = np.arange(members, 0, -1.0)
    made.history_ = pd.DataFrame(
        {"step": 1, "epoch": 1.0, "member": range(members), "loss": losses, "validation": np.nan}
    )
    return made


def state_space(names: Variables = NAMES) -> SparseStateSpace:
    """A model of two latent states, three units and bounds that act."""
    made, rng = SparseStateSpace(), np.random.default_rng(1)
    model = StateSpace.zeros(2, 1, 2, ("square", "tanh", "cube"))
    values = {name: 0.3 * rng.normal(size=np.shape(getattr(model, name))) for name in ("B", "F", "G", "H", "C", "d")}
    values |= {"A": np.asarray([[0.9, 0.2], [-0.2, 0.8]]), "F": 0.05 * values["F"]}
    rest = {name: getattr(model, name) for name in ("c", "b", "D", "floor")}
    made.model_ = StateSpace(
        **values, **rest, low=np.full(3, -0.2), high=np.asarray([0.2, np.inf, 0.3]),
        ceiling=np.asarray([np.inf, 0.4]), units=model.units,
    )  # fmt: skip
    made.statistics_, made.variables_ = SCALING, names
    made.mean_, made.covariance_, made.error_ = np.zeros(2), np.eye(2), 0.01
    made.kept_ = made.model_.ravel() != 0
    return made


def sindy(
    degree: int = 2, *, time: str = "continuous", delays: Delays = NO_DELAYS, names: Variables = NAMES, **values: float
) -> SINDy:
    """Equations with coefficients `values` by the place of term and state, such as `c1_0=-0.5`."""
    made = SINDy(degree, time=time)
    count = len(names.state_names) + len(delays.names(names.state_names, names.input_names))
    library = Library(count, degree)
    coefficients = np.zeros((library.size, len(names.state_names)))
    for place, value in values.items():
        term, state = map(int, place[1:].split("_"))
        coefficients[term, state] = value
    found = Identified(coefficients, np.zeros(2), None, "held", time, None)
    unit = Scaling(*(np.asarray(part) for part in ([1.0, 0.8], [0.3, 0.2], [0.3], [0.1], [0.0, 0.0], [1.0, 1.0])))
    return made._adopt(found, library, names, unit, delays=delays)


def learner() -> Any:
    """Equations from a file."""
    return sparsedyn.load(STORED / "learner.model")


def regressor(expression: sympy.Expr | None = None, names: Sequence[str] = ()) -> Any:
    """A formula of two columns, or of one's own."""
    made = sparsedyn.load(STORED / "regressor.model")
    return (
        made
        if expression is None
        else made._adopt([made.candidates_[0]._replace(expression=expression)], list(names), [])
    )


DAMPED = {"c1_0": -0.5, "c4_0": -0.3, "c3_0": 0.7, "c0_1": 0.4, "c2_1": -0.6, "c5_1": 0.1}
MODELS: dict[str, Callable[[], Any]] = {
    **{name: lambda name=name: stepper(name, method="rk4") for name in ("tanh", "relu", "sigmoid", "silu")},
    "gelu": lambda: stepper("gelu", skip=True),
    "softplus": lambda: stepper("softplus", skip=True, bias=False),
    "identity": lambda: stepper("identity", skip=True),
    "map": lambda: stepper(time="discrete"),
    "known": lambda: stepper(known={"level": "-0.1*level*feed + 0.2*sin(heat)"}),
    "known map": lambda: stepper(known={"level": "-0.01*level", "heat": "0.1*feed"}, per=NAMES.dt, time="discrete"),
    "mean": lambda: stepper(members=3),
    "state space": state_space,
    "sindy": lambda: sindy(**DAMPED),
    "sindy map": lambda: sindy(1, time="discrete", c1_0=0.9, c2_0=0.1, c0_1=0.1, c2_1=0.7, c3_1=0.3),
    "lags": lambda: sindy(
        1, time="discrete", delays=Delays(1, (2,)), c1_0=0.6, c5_0=0.2, c3_0=0.4, c2_1=0.5, c6_1=-0.2, c4_1=0.3
    ),
    "learner": learner,
    "regressor": regressor,
}  # fmt: skip


def exact(model: Any) -> Any:
    """The model, its steps in double precision."""
    made = copy.copy(model)
    if hasattr(made, "precision"):
        made.precision = "float64"
    return made
