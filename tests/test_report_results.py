import re

import pytest

from imago import cli, params
from imago.commands import results as command
from imago.core import files
from imago.reports import results
from tests import report_tree

METRICS = {
    "accuracy": 0.97,
    "accuracy_low": 0.96647,
    "accuracy_high": 0.97317,
    "macro_f1": 0.9697,
    "expected_calibration_error": 0.0123,
    "parameters": 52_866,
}
SGD = results.Result("mnist_sgd", "mnist", METRICS, {"litert": 200_000, "onnx": 300_000})
ADAM = results.Result("mnist_adam", "mnist", METRICS | {"accuracy": 0.98}, {})
CATS = results.Result("zebra", "cats", METRICS, {})


def test_markdown():
    assert results.markdown([SGD, ADAM]).splitlines() == [
        "| Experiment | Data set | Accuracy | 95 % interval | Macro F1 | Calibration error "
        "| Parameters | Exports |",
        "| :-- | :-- | --: | --: | --: | --: | --: | --: |",
        "| `mnist_sgd` | `mnist` | 97.00 % | 96.65 to 97.32 | 96.97 % | 1.23 % | 52,866 "
        "| 500.0 kB |",
        "| `mnist_adam` | `mnist` | 98.00 % | 96.65 to 97.32 | 96.97 % | 1.23 % | 52,866 | – |",
    ]


def test_of_one_data_set_the_most_accurate_is_first():
    assert results.ordered([SGD, CATS, ADAM]) == [CATS, ADAM, SGD]


UNEQUAL = METRICS | {
    "accuracy": 0.99,
    "balanced_accuracy": 0.81,
    "balanced_accuracy_low": 0.7,
    "balanced_accuracy_high": 0.8877,
}


def test_balanced_accuracy_leads_where_classes_are_unequal():
    """And is shown of all rows, for accuracies of both kinds are not to be compared."""
    skewed = results.Result("skewed", "mnist", UNEQUAL, {})
    better = results.Result(
        "z_better", "mnist", UNEQUAL | {"balanced_accuracy": 0.82, "accuracy": 0.9}, {}
    )
    even = results.Result("even", "mnist", METRICS | {"balanced_accuracy": 0.97}, {})

    head, _, *rows = results.markdown([skewed, even]).splitlines()

    assert head.startswith(
        "| Experiment | Data set | Balanced accuracy | 95 % interval | Accuracy | Macro F1 |"
    )
    assert rows[0].startswith(
        "| `skewed` | `mnist` | 81.00 % | 70.00 to 88.77 | 99.00 % | 96.97 % "
    )
    assert rows[1].startswith("| `even` | `mnist` | 97.00 % | 96.65 to 97.32 | 97.00 % | 96.97 % ")
    assert rows[2:] == ["", "The interval is of the balanced accuracy, of even of the accuracy."]
    assert results.note([skewed, better]) == results.note([even]) == ""
    assert results.ordered([skewed, better]) == [better, skewed]


def test_metrics_that_an_older_run_has_not():
    few = {name: METRICS[name] for name in ("accuracy", "accuracy_low", "accuracy_high")}
    line = results.markdown([results.Result("a", "b", few, {})]).splitlines()[-1]
    assert line == "| `a` | `b` | 97.00 % | 96.65 to 97.32 | – | – | – | – |"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report_tree.write(tmp_path)
    text = report_tree.PARAMS
    text += text[text.index("  tiny:") :].replace("tiny", "later")
    (tmp_path / "params.yaml").write_text(text, "utf-8")
    return tmp_path


def run(capsys, *arguments):
    import argparse

    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert command.run(parser.parse_args(arguments)) == 0
    return capsys.readouterr().out


def test_the_command_prints_what_has_run_and_names_what_has_not(tree, capsys):
    files.write_json(tree / "reports/cards/tiny.json", {"exports": report_tree.EXPORTS})
    files.write_text(tree / "reports/index.html", "")

    *table, absent, report = run(capsys).rstrip().splitlines()

    row = next(line for line in table if "tiny" in line)
    assert re.split(r"\s{2,}", row.strip()) == [
        "tiny",
        "pets",
        "70.00 %",
        "39.68 to 89.22",
        "65.12 %",
        "12.34 %",
        "1,234,567",
        "2.5 MB",
    ]
    assert absent == "not run yet: later"
    assert report == "report: reports/index.html"


def test_the_command_before_any_run(tree, capsys):
    (tree / "metrics/tiny.json").unlink()
    assert run(capsys) == "not run yet: tiny, later\n"


@pytest.mark.parametrize("content", ["", "[]", '{"loss": 0.5}', '{"accuracy": null}'])
def test_broken_metrics_end_as_a_line(tree, capsys, content):
    (tree / "metrics/tiny.json").write_text(content, "utf-8")

    assert cli.main(["results"]) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"imago results: metrics/tiny\.json.*; run the stage evaluate again\n", said
    )


def test_markdown_is_the_table_alone(tree, capsys):
    lines = run(capsys, "--md").splitlines()
    assert len(lines) == 3
    assert all(line.startswith("| ") and line.endswith(" |") for line in lines)


@pytest.mark.parametrize("width", [30, 60, 90, 120])
@pytest.mark.usefixtures("tree")
def test_nothing_is_cut_off_on_a_narrow_terminal(capsys, monkeypatch, width):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))

    printed = re.sub(r"\x1b\[[0-9;]*m", "", run(capsys))  # without colours

    assert max(map(len, printed.splitlines())) <= width
    for text in ("tiny", "pets", "70.00 %", "39.68 to 89.22", "1,234,567"):
        assert text in printed
    assert "…" not in printed


@pytest.mark.usefixtures("tree")
def test_the_rows_are_those_of_params(capsys):
    assert set(params.load().experiments) == {"tiny", "later"}
    assert "later" in run(capsys)
