"""What the stages have made of an experiment, as its report reads it from disk."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imago.core import files, paths
from imago.core.errors import DataError
from imago.core.photo_names import folded
from imago.data import arrays, provenance
from imago.runtimes import model_json
from imago.scoring import summary

Row = dict[str, str]
"""Of a table: column and text."""


@dataclass(frozen=True)
class Material:
    """All that an experiment's report tells.

    Attributes:
        experiment: Its name.
        parameters: What it was asked for, as in params.yaml.
        metrics: Of metrics/<experiment>.json.
        history: A row for each epoch.
        per_class: A row for each class.
        confusion: A row for each pair of a true and a predicted class.
        reliability: A row for each bin of confidence.
        classification_report: As scikit-learn writes it.
        export: The description of its exports.
        data: The variant that the model takes.
        origin: Where the variant comes from; of an experiment on features, those as well.
        set_aside: How many files of the data set are not used, by the reason.
        leaks: How many photos are in two splits, by kind.
        decisions: How many photos a person decided to drop or to label, by that.
        captions: By the name of each figure, its title, caption and section, in their order.
    """

    experiment: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    history: list[Row]
    per_class: list[Row]
    confusion: list[Row]
    reliability: list[Row]
    classification_report: str
    export: model_json.ExportDescription
    data: arrays.Info
    origin: dict[str, Any]
    set_aside: dict[str, int]
    leaks: dict[str, int]
    decisions: dict[str, int]
    captions: dict[str, dict[str, str]]


def read(experiment: str, parameters: Mapping[str, Any]) -> Material:
    """Read all that an experiment's stages have written.

    Args:
        experiment: Its name.
        parameters: Its section of params.yaml, of which `input` and `pixels` name its data.

    Raises:
        DataError: Something was not made yet, or is damaged.
    """
    pixels, source = paths.data(parameters["pixels"]), paths.data(parameters["input"])
    report = paths.report(experiment)
    origin = provenance.read(pixels)
    if source != pixels and (source / provenance.FILE).is_file():
        origin |= provenance.read(source)
    return Material(
        experiment=experiment,
        parameters=dict(parameters),
        metrics=summary.read(paths.metrics(experiment)),
        history=_rows(_made(report / "history.csv", "train")),
        per_class=_rows(_made(report / "per_class.csv", "evaluate")),
        confusion=_rows(_made(report / "confusion.csv", "evaluate")),
        reliability=_rows(_made(report / "reliability.csv", "evaluate")),
        classification_report=_made(report / "classification_report.txt", "evaluate").read_text(
            "utf-8"
        ),
        export=model_json.read_export(paths.export(experiment)),
        data=arrays.read_info(pixels),
        origin=origin,
        set_aside=_counts(pixels / "set_aside.csv", "reason"),
        leaks=_counts(pixels / "leaks.csv", "kind"),
        decisions=_decisions(pixels / provenance.DECISIONS),
        captions=files.read_json(_made(paths.captions(experiment), "figures")),
    )


def _made(path: Path, stage: str) -> Path:
    if not path.is_file():
        message = f"{path}: not found; run the stage {stage}"
        raise DataError(message)
    return path


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _counts(path: Path, column: str) -> dict[str, int]:
    """Count a column's values, without their details; a listing of nothing is not written."""
    rows = _rows(path) if path.is_file() else []
    return dict(Counter(row[column].split(": ")[0] for row in rows).most_common())


def _decisions(path: Path) -> dict[str, int]:
    """Count the photos that are dropped, and those given a label: the last row on one holds."""
    rows = _rows(path) if path.is_file() else []
    return dict(Counter({folded(row["photo"]): row["decision"] for row in rows}.values()))
