"""What computing a cell is: data, training, evaluation."""

from sparsedyn.estimators.autoencoder import OnErrors
from sparsedyn.studies.cells import OnProgress, Outcome
from sparsedyn_papers.autoencoders.cells import AutoencoderCell
from sparsedyn_papers.autoencoders.data import seeds_of, split_of
from sparsedyn_papers.autoencoders.evaluation import evaluated
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.autoencoders.training import Checkpoints, fitted

TRAINING = 0.95
"""The share of a cell's time that training takes, about."""


def compute(
    spec: AutoencodersSpec,
    cell: AutoencoderCell,
    checkpoint: Checkpoints,
    on_progress: OnProgress,
    on_errors: OnErrors | None = None,
) -> Outcome:
    """Train the members of a cell and evaluate them; what `on_errors` raises ends training."""
    seeds, system = seeds_of(spec.seed, cell.seed), spec.data.system
    data = split_of(spec.data, cell.noise, seeds)

    def training(share: float, remark: str) -> None:
        on_progress(TRAINING * share, remark)

    estimator = fitted(cell, system, data.train, seeds["networks"], checkpoint, training, on_errors)
    on_progress(TRAINING, "evaluating")
    return evaluated(cell, system, estimator, data)
