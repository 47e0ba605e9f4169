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


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val_loss", [3.0, 1.0, 2.0, 1.0], 1),
        ("val_accuracy", [0.5, 0.7, 0.7, 0.6], 1),
        ("validation_loss", [1.0], 0),
    ],
    ids=["lowest loss, first of equals", "highest accuracy, first of equals", "one epoch"],
)
def test_best(monitor, values, best):
    assert history.best([{monitor: value} for value in values], monitor) == best


@pytest.mark.parametrize(
    ("losses", "over"),
    [([], False), ([3.0], False), ([1.0, 2.0], False), ([1.0, 2.0, 1.0], True)],
    ids=["none", "one", "patient", "no better than the best"],
)
def test_early_stopping_is_patient(losses, over):
    assert history.is_over([{"loss": loss} for loss in losses], "loss", 2) == over


LOSSES = [0.9, 0.5, 0.6, 0.7, 0.8, 0.4, 0.45]
STOPPING = {"monitor": "validation_loss", "patience_epochs": 2}


@pytest.mark.parametrize(
    ("train", "kept"),
    [
        pytest.param({"epochs": 7}, 6, id="the last"),
        pytest.param({"epochs": 7, "early_stopping": STOPPING}, 5, id="the best"),
        pytest.param({"epochs": 3, "fine_tune": {"epochs": 4}}, 6, id="the last of two phases"),
        pytest.param(
            {"epochs": 3, "early_stopping": STOPPING, "fine_tune": {"epochs": 4}},
            6,
            id="the last, though the first phase had a best one",
        ),
        pytest.param(
            {"epochs": 6, "fine_tune": {"epochs": 4, "early_stopping": STOPPING}},
            6,
            id="the best of the second phase, not of both",
        ),
        pytest.param(
            {
                "epochs": 20,
                "early_stopping": STOPPING,
                "fine_tune": {"epochs": 9, "early_stopping": STOPPING},
            },
            5,
            id="the best of the second phase, the first having stopped early",
        ),
        pytest.param(
            {
                "epochs": 2,
                "early_stopping": STOPPING,
                "fine_tune": {"epochs": 9, "early_stopping": STOPPING},
            },
            5,
            id="the best of the second phase, the first not having stopped early",
        ),
        pytest.param({"epochs": 7, "early_stopping": None, "fine_tune": None}, 6, id="nulls"),
    ],
)
def test_kept_is_the_epoch_whose_weights_the_model_has(train, kept):
    epochs = [{"validation_loss": loss} for loss in LOSSES]

    assert history.kept(epochs, train) == kept
