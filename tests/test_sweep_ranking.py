import pytest
import yaml

from imago import terminal
from imago.core.errors import SweepError
from imago.sweep import ranking, trials
from imago.sweep.ranking import TrialScore
from tests import tiny_project

HISTORY = """epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate
1,0.9,0.6,0.5,0.70,0.1
2,0.5,0.8,0.3,0.80,0.1
3,0.3,0.9,0.4,0.90,0.1
4,0.2,0.9,0.6,0.85,0.1
"""


@pytest.fixture
def training(tmp_path, monkeypatch):
    """Reads the training of the experiment `validated` with other values."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tiny_project.settings()))
    return lambda trial: trials.trainings("validated", [trial])[0]


@pytest.mark.parametrize(
    ("stopping", "epoch"),
    [
        (None, 4),
        ({"monitor": "validation_loss", "patience_epochs": 5}, 2),
        ({"monitor": "validation_accuracy", "patience_epochs": 5}, 3),
    ],
    ids=["none", "loss", "accuracy"],
)
def test_the_figures_are_those_of_the_weights_that_are_kept(training, stopping, epoch):
    found = ranking.score("a", HISTORY, training({"early_stopping": stopping}))
    losses, accuracies = [0.5, 0.3, 0.4, 0.6], [0.7, 0.8, 0.9, 0.85]
    assert found == TrialScore("a", epoch, accuracies[epoch - 1], losses[epoch - 1])


def test_without_validation_figures_there_is_no_score(training):
    history = HISTORY.replace("0.3,0.80", ",")
    with pytest.raises(SweepError, match=r"^a: history.csv must have validation metrics"):
        ranking.score("a", history, training({}))


def test_the_best_is_the_most_accurate_and_among_equals_that_of_the_least_loss():
    scores = [
        TrialScore("a", 1, 0.9, 0.3),
        TrialScore("b", 1, 0.9, 0.2),
        TrialScore("c", 1, 0.95, 0.9),
    ]
    assert [found.name for found in ranking.ranked(scores)] == ["c", "b", "a"]


TRIED = {"a-1": {"rate": 0.1, "units": [8]}, "a-2": {"rate": 0.025, "units": [16, 8]}}
SCORES = [TrialScore("a-2", 12, 0.98765, 0.04321), TrialScore("a-1", 3, 0.9, 0.5)]


def test_table(capsys):
    terminal.print_whole(ranking.table(SCORES, TRIED))

    assert capsys.readouterr().out.splitlines() == [
        "validation accuracy    loss  epoch   rate    units  name",
        "             98.77%  0.0432     12  0.025  [16, 8]   a-2",
        "             90.00%  0.5000      3    0.1      [8]   a-1",
    ]


def test_a_narrow_terminal_has_paragraphs(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    terminal.print_whole(ranking.table(SCORES, TRIED))

    assert capsys.readouterr().out.splitlines() == [
        "validation accuracy 98.77%",
        "loss 0.0432 · epoch 12 ·",
        "rate 0.025 · units [16, 8] ·",
        "name a-2",
        "validation accuracy 90.00%",
        "loss 0.5000 · epoch 3 ·",
        "rate 0.1 · units [8] ·",
        "name a-1",
    ]
