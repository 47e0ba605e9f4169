"""Two revisions, and what a statistician would say of them."""

import json

import numpy as np
import pandas as pd
import pytest
from gate_project import CLASSES, Project, answers, labels, table

from imago import cli

TRUTH = labels(1000)  # 10,000 images
RIGHT, WRONG = np.arange(9000), np.arange(9000, 10_000)  # of the base


def flipped(lost=0, gained=0):
    """The base's answers with the first `lost` right ones wrong and `gained` wrong ones right."""
    return answers(TRUTH, np.concatenate([RIGHT[:lost], WRONG[gained:]]))


BASE = table(TRUTH, flipped())


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("project"))
    project.settings({"digits": 0.85, "never": None})
    project.evaluate("digits", BASE)
    project.commit("Base")
    return project


@pytest.fixture
def gate(project, monkeypatch, capsys):
    """Commit what a scenario changed, compare it with main, and go back."""
    monkeypatch.chdir(project.folder)
    project.git("checkout", "--quiet", "--detach", "main")

    def run(experiment="digits"):
        project.commit()
        code = cli.main(["gate", "HEAD", "--json"])
        said = json.loads(capsys.readouterr().out)
        found = {one["experiment"]: one for one in said["experiments"]}
        assert said["exit_code"] == code
        return code, found[experiment]

    return run


@pytest.mark.parametrize(
    ("lost", "gained", "verdict", "code"),
    [
        pytest.param(100, 250, "better", 0, id="better"),
        pytest.param(0, 0, "no change", 0, id="same weights"),
        pytest.param(149, 152, "no change", 0, id="another seed, by chance better"),
        pytest.param(152, 149, "worse within noise", 0, id="another seed, by chance worse"),
        pytest.param(160, 140, "worse within noise", 0, id="0.2 points worse, much changed"),
        pytest.param(22, 2, "regression", 1, id="0.2 points worse, and else the same"),
        pytest.param(300, 200, "regression", 1, id="clearly worse"),
    ],
)
def test_changes_of_quality(project, gate, lost, gained, verdict, code):
    project.evaluate("digits", table(TRUTH, flipped(lost, gained)))

    found_code, found = gate()

    assert (found["verdict"], found_code) == (verdict, code)
    accuracy = found["metrics"][0]
    assert accuracy["change"] == pytest.approx((gained - lost) / 10_000)
    assert accuracy["interval"][0] <= accuracy["change"] <= accuracy["interval"][1]


def test_one_class_broken_while_accuracy_holds(project, gate):
    broken = RIGHT[TRUTH[RIGHT] == 3][:200]
    project.evaluate("digits", table(TRUTH, answers(TRUTH, np.concatenate([broken, WRONG[200:]]))))

    code, found = gate()

    assert (found["verdict"], code) == ("regression", 1)
    assert found["metrics"][0]["change"] == 0
    assert [one["class"] for one in found["classes"] if one["verdict"] == "regression"] == ["d"]


def test_another_test_split(project, gate):
    rows = BASE.iloc[10:].copy()
    rows.loc[rows.index[:3], "true"] = "j"
    rows.loc[rows.index[-5:], "image"] = [f"{image:016x}" for image in range(20_000, 20_005)]
    project.evaluate("digits", rows)

    code, found = gate()

    assert (found["verdict"], code) == ("could not compare", 2)
    (note,) = found["notes"]
    assert note.startswith(
        "the test splits differ: 15 images only in the base, 5 images only here, "
        "3 images with another true class; there is no telling whether it is worse: "
    )


def test_photos_that_were_added_are_left_out(project, gate):
    new = BASE.iloc[:7].assign(image=[f"{image:016x}" for image in range(20_000, 20_007)])
    project.evaluate("digits", pd.concat([new, BASE]))

    code, found = gate()

    assert (found["verdict"], code) == ("no change", 0)
    assert found["notes"] == [
        f"7 test images are new: compared on the {len(BASE):,} of the base; floors are held by all"
    ]


def test_rows_in_another_order_are_the_same_split(project, gate):
    project.evaluate("digits", BASE.iloc[::-1])

    code, found = gate()

    assert (found["verdict"], code) == ("no change", 0)


def test_a_metric_is_missing(project, gate):
    (project.folder / "metrics/digits.json").unlink()

    code, found = gate()

    assert (found["verdict"], code) == ("missing", 1)
    assert found["notes"][0].startswith("metrics/digits.json of HEAD, ")
    assert "is missing; run `dvc repro evaluate@digits` there" in found["notes"][0]


def test_metrics_that_are_not_those_of_the_predictions(project, gate):
    (project.folder / "metrics/digits.json").write_text('{"accuracy": 0.95}')

    code, found = gate()

    assert (found["verdict"], code) == ("missing", 1)
    assert (
        "accuracy must be that of predictions/digits.parquet, 0.9000, got 0.9500"
        in found["notes"][0]
    )


@pytest.mark.parametrize(("floor", "code"), [(0.85, 0), (0.95, 1), (None, 0)])
def test_a_new_experiment_is_held_against_its_floors(project, gate, floor, code):
    project.settings({"digits": 0.85, "never": None, "another": floor})
    project.evaluate("another", BASE)

    found_code, found = gate("another")

    assert (found["verdict"], found_code) == ("new", code)
    assert [one["is_met"] for one in found["floors"]] == ([code == 0] if floor else [])


def test_a_new_experiment_that_was_not_evaluated(project, gate):
    project.settings({"digits": 0.85, "never": None, "another": None})

    code, found = gate("another")

    assert (found["verdict"], code) == ("missing", 1)
    assert "run `dvc repro evaluate@another`" in found["notes"][0]


def test_a_removed_experiment(project, gate):
    project.settings({"never": None})

    code, found = gate()

    assert (found["verdict"], code) == ("removed", 0)


def test_an_experiment_that_has_never_run(gate):
    code, found = gate("never")

    assert (found["verdict"], code) == ("not run", 0)
    assert found["notes"] == ["never evaluated, nor in the base; run `dvc repro evaluate@never`"]


def test_below_the_floor_without_a_regression(project, gate):
    project.settings({"digits": 0.91, "never": None})

    code, found = gate()

    assert (found["verdict"], found["result"], code) == ("no change", "fail", 1)


def test_a_floor_of_a_metric_that_is_missing(project, gate):
    project.settings({}, experiments={"digits": {"floors": {"macro_f1": 0.5}}})

    code, found = gate()

    assert code == 1
    assert found["floors"] == [{"metric": "macro_f1", "floor": 0.5, "value": None, "is_met": False}]
    assert found["notes"] == ["the floor of accuracy, 0.85 in the base, is gone"]


def test_a_lowered_floor_is_said(project, gate):
    project.settings({"digits": 0.8, "never": None})

    code, found = gate()

    assert (code, found["notes"]) == (0, ["the floor of accuracy is lowered from 0.85 to 0.8"])


def test_other_classes_are_another_split(project, gate):
    rows = BASE.rename(columns={"p:j": "p:k"}).replace(
        {"true": {"j": "k"}, "predicted": {"j": "k"}}
    )
    project.evaluate("digits", rows)

    code, found = gate()

    assert (found["verdict"], code) == ("could not compare", 2)
    assert "classes a, b, c, d, e, … (10) in the base" in found["notes"][0]


def test_probabilities_can_be_tested(project, gate):
    metrics = {name: {"share": 0.5, "margin": 0.0} for name in ("loss", "brier_score")}
    settings = {"significance_level": 0.05, "bootstrap_samples": 1000, "metrics": metrics}
    project.settings({"digits": 0.85}, gate=settings)
    rows = BASE.copy()
    columns = [f"p:{name}" for name in CLASSES]
    rows[columns] = 0.5 * rows[columns] + 0.5 / len(CLASSES)  # less sure, and of the same classes
    project.evaluate("digits", rows)

    code, found = gate()

    assert (found["verdict"], code) == ("regression", 1)
    assert [(one["metric"], one["change"] > 0) for one in found["metrics"]] == [
        ("loss", True),
        ("brier_score", True),
    ]


def test_few_samples_for_the_number_of_tests(project, gate, capsys):
    metrics = {"accuracy": {"share": 0.75, "margin": 0.0}, "loss": {"share": 0.25, "margin": 0.0}}
    settings = {"significance_level": 0.001, "bootstrap_samples": 1000, "metrics": metrics}
    project.settings({"digits": 0.85}, gate=settings)
    project.evaluate("digits", table(TRUTH, flipped(9, 9)))
    project.commit()

    assert cli.main(["gate", "HEAD"]) == 2
    assert capsys.readouterr().err == (
        "imago gate: params.yaml: gate.bootstrap_samples must be 4000 or more for 2 tests, got "
        "1000\n"
    )
