"""A small params.yaml, and how the tests of its faults change it."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


TEXT = """
seed: 20
datasets:
  pets:
    layout: idx
    licence: MIT
    files: {a: HASH, b: HASH, c: HASH, d: HASH}
    sources: [pip:pets==1.0]
    extract:
      classes: [cat, dog]
      train: {images: a, labels: b}
      test: {images: c, labels: d}
prepare:
  whole: {dataset: pets, image_size_px: 32, color: rgb, fit: stretch,
    interpolation: area, validation_fraction: 0.0}
  pets4: {dataset: pets, image_size_px: 4, color: grayscale, fit: stretch,
    interpolation: area, validation_fraction: 0.2}
weights: {}
backbones: {}
features: {}
exports:
  small: {formats: [litert], greatest_difference: 0.01, greatest_accuracy_loss: 0.02,
    calibration_images: 8}
experiments:
  tiny:
    input: prepared/pets4
    pixels: prepared/pets4
    train:
      model: mlp
      normalization: rescale
      hidden_units: [3, 5]
      dropout: 0.5
      optimizer: sgd
      learning_rate: 0.1
      epochs: 2
      batch_size: 9
      jit_compile: false
    export: small
""".replace("HASH", "f" * 64)


OPTIMIZER, RATE, EPOCHS = "optimizer: sgd", "learning_rate: 0.1", "epochs: 2"


SCHEDULE = "learning_rate: 0.1\n      learning_rate_schedule: "


EARLY_STOPPING = "\n      early_stopping: {monitor: validation_loss, patience_epochs: 3}"


QUOTED_NUMBER = "; write numbers without quotes or exponent, as 0.001"


NO_SECTION = "the file must be a section of keys and values, got"


NAME = "must be a name of letters, digits, _ and -, not beginning with -,"


FILE_NAME = "must be a file name, without folders, not beginning with . or -,"


def changed(old, new):
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


def lines_saying(*faults):
    """Return a pattern for exactly these lines; … stands for any words within a line."""
    lines = [".*".join(map(re.escape, fault.split("…"))) for fault in faults]
    return r"\A" + "\n".join(lines) + r"\Z"


def fault(old, new, message, name=None):
    return pytest.param(old, new, message, id=name or new.strip())
