import pytest

from imago import history
from imago.core import files

COLUMNS = [
    "epoch",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
]

EPOCHS = [
    {"loss": 0.5, "accuracy": 0.8, "learning_rate": 0.1, "val_loss": 0.6, "val_accuracy": 0.7},
    {"loss": 0.3, "accuracy": 0.9, "learning_rate": 0.05, "val_loss": 0.4, "val_accuracy": 0.75},
]


def without_validation(logs):
    return {name: value for name, value in logs.items() if not name.startswith("val_")}


def test_row_for_each_epoch():
    table = history.table(EPOCHS)

    assert list(table.columns) == COLUMNS
    assert table.to_numpy().tolist() == [
        [1, 0.5, 0.8, 0.6, 0.7, 0.1],
        [2, 0.3, 0.9, 0.4, 0.75, 0.05],
    ]


def test_validation_columns_are_empty_without_validation(tmp_path):
    table = history.table([without_validation(logs) for logs in EPOCHS])
    files.write_csv(tmp_path / "history.csv", table)

    assert (tmp_path / "history.csv").read_text("utf-8") == (
        "epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate\n"
        "1,0.5,0.8,,,0.1\n"
        "2,0.3,0.9,,,0.05\n"
    )


@pytest.mark.parametrize("count", [0, 1])
def test_columns_do_not_depend_on_the_number_of_epochs(count):
    table = history.table(EPOCHS[:count])

    assert list(table.columns) == COLUMNS
    assert len(table) == count


def test_logs_are_left_alone():
    logs = [dict(EPOCHS[0])]

    history.table(logs)

    assert logs == EPOCHS[:1]
