"""An experiment's files as its stages leave them, hand-made: three classes, ten test images."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imago import params
from imago.core import files
from imago.data import provenance, writing
from imago.runtimes import model_json

CLASSES = ('<b>cat</b> & "co"', "naïve 猫", "d" * 90)
"""Names that a page must not take for its own text, or break at."""
LICENCE = "CC0 <1.0> & 'more'"
PARAMS = f"""
seed: 7
datasets:
  pets:
    layout: image_folder
    licence: {LICENCE}
    files: {{pets.zip: {"f" * 64}}}
    sources: [own]
    extract: {{greatest_unreadable_fraction: 0.5, greatest_megapixels: 1}}
prepare:
  pets4: {{dataset: pets, image_size_px: 4, color: rgb, fit: stretch,
    interpolation: area, validation_fraction: 0.25}}
weights: {{}}
backbones: {{}}
features: {{}}
exports:
  small: {{formats: [litert], greatest_difference: 0.01, greatest_accuracy_loss: 0.1,
    calibration_images: 20}}
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
"""

TEST = {CLASSES[0]: 5, CLASSES[1]: 4, CLASSES[2]: 1}
TRAIN = {CLASSES[0]: 30, CLASSES[1]: 12, CLASSES[2]: 10}
METRICS = {
    "accuracy": 0.7,
    "accuracy_low": 0.39677,
    "accuracy_high": 0.89221,
    "balanced_accuracy": 0.85,
    "macro_f1": 0.65123456789,
    "weighted_f1": 0.7,
    "roc_auc": 0.91,
    "loss": 0.8765432109876543,
    "brier_score": 0.4,
    "expected_calibration_error": 0.1234,
    "examples": 10,
    "parameters": 1234567,
    "another_number": 0.25,
}
"""`another_number` is one that nobody has described."""
TABLES = {
    "history.csv": [
        ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"],
        [1, 1.5, 0.5, 1.25, 0.625, 0.1],
        [2, 1.0, 0.75, 1.0, 0.6875, 0.05],
    ],
    "per_class.csv": [
        ["class", "precision", "recall", "f1", "support", "roc_auc"],
        [CLASSES[0], 1.0, 0.8, 0.888, 5, 0.9],
        [CLASSES[1], 1.0, 0.5, 0.666, 4, 0.8],
        [CLASSES[2], 0.25, 1.0, 0.4, 1, ""],
    ],
    "confusion.csv": [
        ["true", "predicted", "count", "share"],
        [CLASSES[0], CLASSES[0], 4, 0.8],
        [CLASSES[0], CLASSES[2], 1, 0.2],
        [CLASSES[1], CLASSES[1], 2, 0.5],
        [CLASSES[1], CLASSES[2], 2, 0.5],
        [CLASSES[2], CLASSES[2], 1, 1.0],
        [CLASSES[2], CLASSES[0], 0, 0.0],
    ],
    "reliability.csv": [
        ["confidence_above", "confidence_to", "examples", "confidence", "accuracy"],
        [0.0, 0.5, 0, "", ""],
        [0.5, 0.75, 4, 0.6, 0.5],
        [0.75, 1.0, 6, 0.95, 0.833333],
    ],
}
EXPORTS = {
    "litert": {
        "file": "model.tflite",
        "bytes": 1500,
        "sha256": "0" * 64,
        "examples": 10,
        "accuracy": 0.7,
        "same_class_as_keras": 1.0,
        "greatest_difference": 0.0000012,
    },
    "saved_model": {"file": "saved_model", "bytes": 2500000, "sha256": "1" * 64},
}
FIGURES = {
    "curves": ("Learning curves", "training"),
    "confusion": ("Confusion matrix", "answers"),
    "something_new": ("Something <new>", "answers"),
}
"""Title and section of each."""
FIGURE_PX = (860, 300)


def write(folder: Path) -> None:
    """Write the project into `folder`, which must be the current one."""
    (folder / "params.yaml").write_text(PARAMS, "utf-8")
    prepared, extracted = folder / "data/prepared/pets4", folder / "data/extracted/pets"
    extracted.mkdir(parents=True)
    provenance.write(extracted, "pets", params.load().datasets["pets"])
    write_csv(extracted / "set_aside.csv", [["path", "reason"], ["a", "truncated: at 4"]])
    with writing.splits(prepared, CLASSES, (4, 4, 3), views=1) as writer:
        for split, counts in (("train", TRAIN), ("validation", TEST), ("test", TEST)):
            labels = np.repeat(np.arange(3, dtype=np.int32), list(counts.values()))
            writer.add(split, labels, [np.zeros((len(labels), 4, 4, 3), np.uint8)])
        provenance.carry(extracted, writer.folder, prepare={"name": "pets4", "seed": 7})
    write_experiment(folder, "tiny")


def write_experiment(folder: Path, name: str) -> None:
    """Write what the stages before the report leave of an experiment."""
    files.write_json(folder / f"metrics/{name}.json", METRICS)
    report, exports = folder / "reports" / name, folder / "exports" / name
    for table, rows in TABLES.items():
        write_csv(report / table, rows)
    (report / "classification_report.txt").write_text(f"f1 of {CLASSES[0]}\n", "utf-8")
    (report / "figures").mkdir()
    for figure in FIGURES:
        Image.new("RGB", FIGURE_PX, "teal").save(report / f"figures/{figure}.png")
    captions = {
        figure: {"title": title, "caption": f"Look at {figure}.", "section": section}
        for figure, (title, section) in FIGURES.items()
    }
    files.write_json(report / "captions.json", captions)
    (exports / "saved_model").mkdir(parents=True)
    (exports / "model.tflite").write_bytes(bytes(1500))
    form = {"fit": "stretch", "interpolation": "area", "framing": None}
    described = model_json.ExportDescription(
        experiment=name,
        classes=CLASSES,
        input={"name": "pixels", "shape": [None, 4, 4, 3], **form},
        output={"name": "probabilities", "shape": [None, 3]},
        formats=EXPORTS,
    )
    model_json.write(exports, described)


def write_csv(path: Path, rows: list[list[Any]]) -> None:
    """Write a table, the names of its columns first."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    files.write_text(path, text.getvalue())
