"""Whether a classifier is right as often as its probabilities say."""

import numpy as np
import pandas as pd

from imago.scoring import intervals

BINS = 15
"""Of equal width. Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017."""


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
    examples, confidence, correct = sums(labels, probabilities)
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


def sums(
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
