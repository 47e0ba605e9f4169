import pytest

from imago.core import files
from stages import overview, report
from tests import report_tree
from tests.test_stage_report import Page


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Three experiments on two data sets; the third is the most accurate."""
    monkeypatch.chdir(tmp_path)
    report_tree.write(tmp_path)
    report.main("tiny")
    card = files.read_json(tmp_path / "reports/cards/tiny.json")
    better = card["metrics"] | {"accuracy": 0.9}
    files.write_json(
        tmp_path / "reports/cards/better.json",
        card | {"experiment": "better", "metrics": better},
    )
    data = card["data"] | {"dataset": card["data"]["dataset"] | {"name": "<i>"}}
    other = [
        row | {"validation_loss": None, "validation_accuracy": None} for row in card["history"]
    ]
    files.write_json(
        tmp_path / "reports/cards/alone.json",
        card | {"experiment": "alone", "data": data, "history": other},
    )
    overview.main()
    return tmp_path


@pytest.fixture
def html(tree):
    return (tree / "reports/index.html").read_text("utf-8")


def test_the_table(html):
    rows = Page(html).rows_with("data-experiment")
    assert list(rows) == ["alone", "better", "tiny"]
    assert rows["tiny"]["cells"] == [
        "tiny",
        "pets",
        "70.00 %",
        "39.68 to 89.22",
        "65.12 %",
        "12.34 %",
        "1,234,567",
        "2.5 MB",
    ]
    assert rows["better"]["cells"][2] == "90.00 %"


def test_the_table_is_sorted_by_the_tracked_figures(html):
    cells = [values for tag, values in Page(html).tags if tag == "td"]
    of_tiny = {values["data-column"]: values["data-sort"] for values in cells[-7:]}
    assert of_tiny["Data set"] == "pets"
    for column, name in {
        "Accuracy": "accuracy",
        "95 % interval": "accuracy_low",
        "Macro F1": "macro_f1",
        "Calibration error": "expected_calibration_error",
        "Parameters": "parameters",
    }.items():
        assert float(of_tiny[column]) == report_tree.METRICS[name]
    assert int(of_tiny["Exports"]) == 1500 + 2500000


def test_each_experiment_has_a_link(html):
    links = [values["href"] for tag, values in Page(html).tags if tag == "a"]
    assert links == ["alone/index.html", "better/index.html", "tiny/index.html"]


def test_curves_of_one_data_set_are_in_one_chart(html):
    page = Page(html)
    charts = [values["aria-label"] for tag, values in page.tags if values.get("role") == "img"]
    assert charts == [
        "Accuracy by epoch of the experiments on <i>",
        "Loss by epoch of the experiments on <i>",
        "Accuracy by epoch of the experiments on pets",
        "Loss by epoch of the experiments on pets",
    ]
    lines = [values["class"] for tag, values in page.tags if tag == "polyline"]
    assert lines == ["line"] * 2 + ["line", "line dashed"] * 4


def test_equal_cards_give_equal_bytes(tree, html):
    overview.main()
    assert (tree / "reports/index.html").read_text("utf-8") == html


def test_tables_for_dvc_plots(tree):
    lines = (tree / "reports/accuracies.csv").read_text("utf-8").splitlines()
    assert [line.split(",")[1] for line in lines] == ["experiment", "alone", "better", "tiny"]
    history = (tree / "reports/tiny/history.csv").read_text("utf-8").splitlines()
    lines = (tree / "reports/curves.csv").read_text("utf-8").splitlines()
    assert [line.split(",")[1] for line in lines].count("tiny") == len(history) - 1
