"""Reproducible image classification with TensorFlow/Keras, run as a DVC pipeline."""

import importlib
from typing import Any

__all__ = ["Prediction", "Predictor"]


def __getattr__(name: str) -> Any:
    """Import what a prediction needs when it is asked for, not with every module of imago."""
    if name in __all__:
        return getattr(importlib.import_module("imago.predict.predictor"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
