"""The charts of `dvc plots`: what dvc.yaml asks for against what the stages write."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from dvc_render.vega import VegaRenderer

from imago import history
from imago.reports import overview
from imago.scoring import calibration, roc, tables

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / ".dvc/plots"
CLASSES = ("cat", "dog", "owl")
LABELS = np.array([0, 1, 2, 1])
PROBABILITIES = np.array([[0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.4, 0.3, 0.3], [0.3, 0.6, 0.1]])
EPOCH = {"epoch": 1, "loss": 1.0, "accuracy": 0.5}
CARD = {
    "experiment": "plain",
    "data": {"dataset": {"name": "pets"}},
    "metrics": {"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6},
    "exports": {},
    "history": [EPOCH, EPOCH | {"epoch": 2, "validation_loss": 1.5, "validation_accuracy": 0.4}],
}
OF_ALL = {"accuracies": overview.accuracies([CARD]), "curves": overview.curves([CARD])}
TABLES = OF_ALL | {
    "history": history.table([{"loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1}]),
    "confusion": tables.confusion(LABELS, PROBABILITIES, CLASSES),
    "per_class": tables.per_class(LABELS, PROBABILITIES, CLASSES),
    "reliability": calibration.reliability(LABELS, PROBABILITIES),
    "roc": roc.curves(LABELS, PROBABILITIES, CLASSES),
}


def _charts() -> dict[str, dict[str, Any]]:
    """For the name of each table that dvc.yaml has a chart of, the chart's properties."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"].values()
    outs = [out for stage in stages for out in stage.get("do", stage).get("plots", [])]
    charts = {path: properties for out in outs for path, properties in out.items()}
    return {Path(path).stem: charts[path] for path in charts if path.endswith(".csv")}


CHARTS = _charts()


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value, at any depth."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from inside(part)


def made(spec: dict[str, Any]) -> set[str]:
    """The fields that a chart computes."""
    names = [part["as"] for part in inside(spec) if "as" in part]
    return {name for each in names for name in (each if isinstance(each, list) else [each])}


def test_every_template_is_used():
    assert {chart["template"] for chart in CHARTS.values()} == {
        path.stem for path in TEMPLATES.glob("*.json")
    }


def test_every_table_has_a_chart():
    assert set(CHARTS) == set(TABLES)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_whose_it_is_and_what_its_axes_are(name):
    whose = "Accuracy of all experiments" if name in OF_ALL else "${key}: "
    assert CHARTS[name]["title"].startswith(whose)
    text = (TEMPLATES / f"{CHARTS[name]['template']}.json").read_text("utf-8")
    assert "_LABEL>" not in text  # in whose place DVC would put the name of a column
    template = json.loads(text)
    axes = [part["x"] for part in inside(template) if isinstance(part.get("x"), dict)]
    assert any(axis.get("title") for axis in axes)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_of_the_columns_that_are_written(name):
    rows = [
        {key: str(value) for key, value in row.items()} for row in TABLES[name].to_dict("records")
    ]
    rows = [row | {"rev": revision} for revision in ("HEAD", "workspace") for row in rows]

    chart = VegaRenderer(rows, name, **CHARTS[name], template_dir=str(TEMPLATES))
    spec = chart.get_filled_template()

    assert spec["data"]["values"] == rows
    assert spec["title"]["text"] == CHARTS[name]["title"]
    del spec["data"]
    text = json.dumps(spec)
    assert "DVC_METRIC" not in text
    known = set(rows[0]) | made(spec)
    used = {part["field"] for part in inside(spec) if isinstance(part.get("field"), str)}
    folded = {column for part in inside(spec) for column in part.get("fold", [])}
    in_expressions = set(re.findall(r"datum\.(\w+)", text)) | set(
        re.findall(r"datum\['(\w+)", text)
    )
    assert used | folded | in_expressions - {"value"} <= known  # value: of an axis' label
    assert {"rev"} < used
