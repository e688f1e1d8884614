"""What the numbers of a comparison mean, in one line each."""

from sparsedyn.equations import SMALL
from sparsedyn.forecast import DIVERGED_ABOVE

MEANINGS = {
    "forecast": "From the first row of a test trajectory, the model steps forward on its own predictions under "
    "the recorded inputs. Every member forecasts every test trajectory.",
    "horizon": "How many rows of a trajectory a score covers, the initial one included.",
    "error": "Distance between forecast and truth in a state, over that state's standard deviation in training.",
    "RFMSE": "Mean error over the rows up to the horizon and over the states, then over the forecasts that did "
    "not diverge. The squared reading takes the error's square instead.",
    "diverged": f"Share of forecasts in which the mean error of any one state exceeds {DIVERGED_ABOVE:g} or is not "
    "a number.",
    "95 % interval": "From bootstrap resamples of members and of trajectories, both with replacement; where none "
    "or all forecasts diverged, the exact binomial bound.",
    "nonzero weights": "Weights (not biases) of one network that are not exactly zero, mean over members.",
    "sparsity": "Share of weights that are exactly zero. Masked: switched off by the technique. Near zero: "
    f"at most {SMALL:g} in size.",
    "average": "SWA: the mean of the weights over the last part of training, at a constant raised rate. EMA: "
    "their exponential moving average. A dash: the weights as trained.",
}
