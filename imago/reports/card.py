"""The model card: what a model was made from, how, and what came of it, as plain JSON."""

import dataclasses
import importlib.metadata
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from imago.reports import limits
from imago.reports.material import Material, Row

LIBRARIES = ("keras", "numpy", "tensorflow")
CONFUSIONS = 5
Card = dict[str, Any]


def make(material: Material, versions: Mapping[str, str]) -> Card:
    """Return the card of an experiment.

    Returns:
        `experiment`; `data`: where they come from, the classes, what each split holds, what was set
        aside and which leaks there are; `parameters` and `versions`; `metrics`, those of
        metrics/<experiment>.json; `history`, `per_class`; `confusions`, the most frequent ones;
        `confidence`, the mean probability of the predicted class; `exports`, by format: the file,
        its bytes and what is known of it; `unsure`, when an answer is none, as
        exports/<experiment>/model.json has it, if there is such a limit; `limits`, in sentences.
    """
    card: Card = {
        "experiment": material.experiment,
        "data": _data(material),
        "parameters": material.parameters,
        "versions": dict(versions),
        "metrics": material.metrics,
        "history": [_numbers(row) for row in material.history],
        "per_class": [_numbers(row, but="class") for row in material.per_class],
        "confusions": _confusions(material.confusion),
        "confidence": _mean_confidence(material.reliability),
        "classes": list(material.data.classes),
        "input": material.export.input,
        "output": material.export.output,
        "exports": {name: _measured(said) for name, said in material.export.formats.items()},
    }
    if material.export.unsure:
        card["unsure"] = material.export.unsure
    return card | {"limits": limits.sentences(card)}


def versions() -> dict[str, str]:
    """Return the versions of what is installed here: they are no part of what DVC looks at."""
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in ("imago", *LIBRARIES):
        # The builds for CPUs and for GPUs are packages of two names.
        for package in (name, f"{name}-cpu"):
            try:
                found[name] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                continue
            break
    return found


def _data(material: Material) -> dict[str, Any]:
    info = material.data
    decided = {"decisions": material.decisions} if material.decisions else {}
    return (
        material.origin
        | decided
        | {
            "image_shape": list(info.image_shape or ()),
            "views": info.views,
            "splits": {name: dataclasses.asdict(split) for name, split in info.splits.items()},
            "set_aside": material.set_aside,
            "leaks": material.leaks,
        }
    )


def _confusions(table: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the pairs of classes that are confused most often, counts before shares."""
    wrong = [
        _numbers(row, but="true predicted")
        for row in table
        if row["true"] != row["predicted"] and int(row["count"])
    ]
    return sorted(wrong, key=lambda row: (-row["count"], -row["share"]))[:CONFUSIONS]


def _mean_confidence(reliability: Sequence[Row]) -> float | None:
    filled = [row for row in map(_numbers, reliability) if row["examples"]]
    total = sum(row["examples"] for row in filled)
    return sum(row["examples"] * row["confidence"] for row in filled) / total if total else None


def _numbers(row: Row, but: str = "") -> dict[str, Any]:
    """Read a row's numbers, None for an empty field; `but` names the columns of text."""
    return {name: text if name in but.split() else _number(text) for name, text in row.items()}


def _number(text: str) -> float | int | None:
    if not text:
        return None
    return int(text) if text.isdecimal() else float(text)


def _measured(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of a format but for its digest, which is for programs that load it."""
    return {key: value for key, value in said.items() if key != "sha256"}
