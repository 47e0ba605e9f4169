"""Whether a classifier is right as often as its probabilities say."""

import numpy as np
import pandas as pd
from sklearn import metrics

from imago.scoring import intervals

BINS = 15
"""Of equal width. Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017."""


def brier_score(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Compute the mean of an example's squared errors, added up over the classes, from 0 to 2.

    With two classes it is twice the score of the one probability that is often given for them.

    Args:
        labels: (N,) integers in 0..K-1.
        probabilities: (N, K), each row adding up to 1.

    Source: Brier, Monthly Weather Review 78 (1950) 1-3.
    """
    whole = probabilities.astype(np.float64)
    whole /= whole.sum(axis=1, keepdims=True)  # float32 adds up to 1 only to 1e-6
    classes = np.arange(probabilities.shape[1])
    return float(metrics.brier_score_loss(labels, whole, labels=classes, scale_by_half=False))


def expected_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Compute the expected calibration error, from 0 to 1.

    That is the mean over the bins of `reliability` of how far the accuracy is from the confidence,
    each bin counting as often as it has examples.
    """
    examples, confidence, correct = _sums(labels, probabilities)
    return float(np.abs(confidence - correct).sum() / examples.sum())


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """Return a row for each bin of confidence, the probability of the predicted class.

    Args:
        labels: (N,) integers in 0..K-1.
        probabilities: (N, K).

    Returns:
        Columns confidence_above and confidence_to, the bin's bounds, of which the upper is in it;
        examples; confidence, their mean; accuracy, the share of them that is right, with its 95 %
        Wilson interval, accuracy_low and accuracy_high. All but the bounds and the examples are
        missing where there are no examples.
    """
    examples, confidence, correct = _sums(labels, probabilities)
    bounds = np.linspace(0, 1, BINS + 1)
    filled = np.where(examples > 0, examples, np.nan)
    whole = [
        intervals.wilson(right, trials) if trials else (np.nan, np.nan)
        for right, trials in zip(correct.tolist(), examples.tolist(), strict=True)
    ]
    low, high = np.array(whole).T
    columns = {
        "confidence_above": bounds[:-1],
        "confidence_to": bounds[1:],
        "examples": examples,
        "confidence": confidence / filled,
        "accuracy": correct / filled,
        "accuracy_low": low,
        "accuracy_high": high,
    }
    return pd.DataFrame(columns).round(6)


def _sums(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each bin how many examples it has, their confidences' sum, how many are right."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)
    return (
        np.bincount(bins, minlength=BINS),
        np.bincount(bins, confidence, BINS),
        np.bincount(bins[right], minlength=BINS),
    )
