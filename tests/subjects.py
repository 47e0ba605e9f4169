"""What there is to see of an experiment, in parts that were made by hand."""

from types import SimpleNamespace
from typing import Any

from imago.data import arrays
from imago.figures._subject import Subject


def subject(**parts: Any) -> Subject:
    """A subject of which only these parts are there: values of its properties, by their names."""
    settings = SimpleNamespace(train=SimpleNamespace(convolutional=True))
    made = Subject(experiment="by_hand", settings=settings, seed=1)
    vars(made).update(parts)  # where cached properties keep their values
    return made


def answered(images: Any, predictions: Any) -> Subject:
    """Test images, (N, H, W, C) uint8, and what a model said of them."""
    return subject(test=arrays.Split(images, predictions.labels), predictions=predictions)
