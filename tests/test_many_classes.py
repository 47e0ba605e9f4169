"""300 classes go through every stage, and what is written for people stays readable and small."""

import json

import pandas as pd
import pytest

from bench import every_stage, generated
from imago.core import paths
from imago.scoring import predictions, roc, tables

pytestmark = pytest.mark.slow

CLASSES, TEST = 300, 600
NAME = generated.NAME


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    with every_stage.project(folder, CLASSES, 3000, TEST, 16, "pixels") as made:
        costs = {cost.name: cost for cost in every_stage.run(made)}
        assert list(costs) == list(every_stage.STAGES)
        yield made


def table(project, name):
    return pd.read_csv(project / paths.report(NAME) / f"{name}.csv")


def test_it_learnt_something(project):
    metrics = json.loads((project / paths.metrics(NAME)).read_text())
    assert 0.1 < metrics["accuracy"] < 1
    assert metrics["examples"] == TEST


def test_predictions_are_whole_and_smaller_than_their_numbers(project):
    path = project / paths.predictions(NAME)
    classes = tuple(f"class {number:04}" for number in range(CLASSES))

    found = predictions.read(path, classes)

    assert found.probabilities.shape == (TEST, CLASSES)
    assert path.stat().st_size < 1.3 * found.probabilities.nbytes


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("confusion", CLASSES + tables.MISTAKES),
        ("roc", roc.MOST_ROWS),
        ("per_class", CLASSES),
        ("reliability", 15),
    ],
)
def test_tables_have_few_rows(project, name, rows):
    assert len(table(project, name)) <= rows


def test_the_confusions_that_are_told_are_the_largest(project):
    found = table(project, "confusion")
    wrong = found[found["true"] != found["predicted"]].sort_values(
        ["count", "share"], ascending=False, kind="stable"
    )

    card = json.loads((project / paths.card(NAME)).read_text())

    assert [(one["true"], one["predicted"]) for one in card["confusions"]] == list(
        wrong[["true", "predicted"]].head(5).itertuples(index=False, name=None)
    )
    figures = json.loads((project / paths.captions(NAME)).read_text())
    assert "confused_pairs" in figures
    assert "confusion" not in figures


@pytest.mark.parametrize(
    ("path", "most_bytes"),
    [
        (paths.page(NAME), 1_500_000),
        (paths.card(NAME), 200_000),
        (paths.export(NAME) / "model.json", 20_000),
        (paths.report(NAME) / "roc.csv", 100_000),
        (paths.report(NAME) / "confusion.csv", 30_000),
        (paths.figures(NAME) / "confused_pairs.png", 60_000),
        (paths.figures(NAME) / "samples.png", 200_000),
        (paths.inspection(f"{NAME}32_net") / "index.html", 3_000_000),
    ],
    ids=str,
)
def test_what_people_read_is_small(project, path, most_bytes):
    assert 100 < (project / path).stat().st_size < most_bytes
