"""The area under the receiver operating characteristic, a mean over the classes."""

import numpy as np

from imago.scoring.metric import Evaluation, Metric


def mean(evaluation: Evaluation) -> float | None:
    """Compute the mean of `roc.areas`; None where no class has one."""
    from imago.scoring import roc

    found = evaluation.predictions
    areas = roc.areas(found.labels, found.probabilities)
    return None if np.isnan(areas).all() else float(np.nanmean(areas))


METRICS = (
    Metric(
        name="roc_auc",
        title="ROC AUC",
        explanation="How well probabilities rank images of a class above others; 0.5 is chance, "
        "1 the best.",
        kind="number",
        better="higher",
        place=40,
        compute=mean,
    ),
)
