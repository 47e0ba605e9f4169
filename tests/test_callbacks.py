import logging

import pytest

from imago.models.mlp import Settings
from imago.training import callbacks


def test_tensorboard_only_where_asked(training, tmp_path):
    training = Settings.model_validate(training)
    kinds = [type(callback).__name__ for callback in callbacks.build(training, None)]
    assert kinds == ["Progress"]
    kinds = [type(callback).__name__ for callback in callbacks.build(training, tmp_path)]
    assert kinds == ["Progress", "TensorBoard"]


def run_two_epochs(progress):
    progress.set_params({"epochs": 2})
    progress.on_train_begin()
    progress.on_epoch_end(0, {"loss": 1.25, "accuracy": 0.5, "val_accuracy": 0.25})
    progress.on_epoch_end(1, {"loss": 0.75, "accuracy": 0.625, "val_accuracy": 0.5})
    progress.on_train_end()


def test_in_a_log_each_epoch_is_a_line(caplog):
    with caplog.at_level(logging.INFO, "imago"):
        run_two_epochs(callbacks.Progress())
    assert caplog.messages == [
        "epoch 1/2: loss 1.2500, accuracy 0.5000, validation_accuracy 0.2500",
        "epoch 2/2: loss 0.7500, accuracy 0.6250, validation_accuracy 0.5000",
    ]


def test_epochs_of_an_earlier_run_are_not_shown_again(caplog):
    progress = callbacks.Progress()
    progress.set_params({"epochs": 2, "finished_epochs": 1})
    with caplog.at_level(logging.INFO, "imago"):
        progress.on_train_begin()
        progress.on_epoch_end(0, {"loss": 1.25})
        progress.on_epoch_end(1, {"loss": 0.75})
        progress.on_train_end()
    assert caplog.messages == ["epoch 2/2: loss 0.7500"]


def test_on_a_terminal_there_is_a_bar(capsys, caplog, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run_two_epochs(callbacks.Progress())
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "loss=0.7500" in shown
    assert not caplog.messages


@pytest.mark.parametrize(
    ("columns", "shown", "hidden"),
    [(100, "val", " loss="), (160, " loss=0.7500", "no"), (30, "2/2", "accuracy")],
)
def test_a_narrow_terminal_has_fewer_metrics(capsys, monkeypatch, columns, shown, hidden):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda _: (columns, 24))
    run_two_epochs(callbacks.Progress())
    last = capsys.readouterr().err.rpartition("\r")[2].rstrip("\n")
    assert len(last) <= columns
    assert shown in last
    assert hidden not in last


def test_a_dumb_terminal_has_lines(caplog, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    with caplog.at_level(logging.INFO, "imago"):
        run_two_epochs(callbacks.Progress())
    assert len(caplog.messages) == 2


@pytest.mark.parametrize(
    ("column", "name"), [("validation_loss", "val_loss"), ("accuracy", "accuracy")]
)
def test_log_name(column, name):
    assert callbacks.log_name(column) == name
