import pytest

from app import certainty
from imago.predict.predictor import Prediction, Reason


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([1.0], "very_sure"),
        ([0.03, 0.95, 0.02], "very_sure"),
        ([0.949, 0.051], "fairly_sure"),
        ([0.75, 0.25], "fairly_sure"),
        ([0.26, 0.74], "unsure"),
        ([0.4, 0.3, 0.3], "unsure"),
        ([0.39, 0.31, 0.3], "guessing"),
    ],
)
def test_in_words(shares: list[float], expected: str) -> None:
    assert certainty.of(predicted(shares)) == expected


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([1.0], "unsure"), ([0.8, 0.2], "unsure"), ([0.39, 0.31, 0.3], "guessing")],
)
def test_a_model_that_says_itself_that_it_is_unsure_is_never_called_sure(
    shares: list[float], expected: str
) -> None:
    assert certainty.of(predicted(shares, "unlike")) == expected


def predicted(shares: list[float], unsure: Reason | None = None) -> Prediction:
    named = {str(place): share for place, share in enumerate(shares)}
    return Prediction(max(named, key=named.__getitem__), max(shares), named, None, unsure)
