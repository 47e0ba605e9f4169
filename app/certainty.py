"""How sure a model is, in few words: the rules, in one place."""

from typing import Literal

from imago.predict.predictor import Prediction

Certainty = Literal["very_sure", "fairly_sure", "unsure", "guessing"]

VERY_SURE, FAIRLY_SURE, UNSURE = 0.95, 0.75, 0.4
"""Least probabilities of the likeliest class, each included."""


def of(prediction: Prediction) -> Certainty:
    """Say how sure a model is of its likeliest class; unsure at most, where it says so itself.

    The limits are the same for any number of classes: with ten, 0.4 is four times chance, but a
    model that is right in four answers of ten is no help.
    """
    greatest = prediction.probability
    if prediction.unsure is None and greatest >= VERY_SURE:
        return "very_sure"
    if prediction.unsure is None and greatest >= FAIRLY_SURE:
        return "fairly_sure"
    return "unsure" if greatest >= UNSURE else "guessing"
