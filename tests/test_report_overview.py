from imago.core import files
from imago.reports import overview

EPOCHS = [
    {"epoch": 1, "loss": 0.5, "accuracy": 0.75, "learning_rate": 0.1},
    {"epoch": 2, "loss": 0.25, "accuracy": 0.875, "learning_rate": 0.1},
]
VALIDATED = [EPOCHS[0] | {"validation_loss": 0.625, "validation_accuracy": 0.5}]


def card(experiment, dataset, accuracy, history):
    metrics = {
        "accuracy": accuracy,
        "accuracy_low": accuracy - 0.125,
        "accuracy_high": accuracy + 0.125,
        "loss": 1.0,
    }
    return {
        "experiment": experiment,
        "data": {"dataset": {"name": dataset}},
        "metrics": metrics,
        "exports": {},
        "history": history,
    }


CARDS = [
    card("a", "pets", 0.5, EPOCHS),
    card("b", "digits", 0.75, VALIDATED),
    card("c", "pets", 0.625, EPOCHS[:1]),
]


def text(tmp_path, table):
    files.write_csv(tmp_path / "table.csv", table)
    return (tmp_path / "table.csv").read_text("utf-8").splitlines()


def test_accuracies_of_one_data_set_are_together_the_best_first(tmp_path):
    assert text(tmp_path, overview.accuracies(CARDS)) == [
        "dataset,experiment,accuracy,accuracy_low,accuracy_high",
        "digits,b,0.75,0.625,0.875",
        "pets,c,0.625,0.5,0.75",
        "pets,a,0.5,0.375,0.625",
    ]


def test_curves_are_in_the_same_order(tmp_path):
    assert text(tmp_path, overview.curves(CARDS)) == [
        "dataset,experiment,epoch,loss,accuracy,validation_loss,validation_accuracy",
        "digits,b,1,0.5,0.75,0.625,0.5",
        "pets,c,1,0.5,0.75,,",
        "pets,a,1,0.5,0.75,,",
        "pets,a,2,0.25,0.875,,",
    ]


def test_cards_may_be_given_once():
    assert len(overview.curves(iter(CARDS))) == 4


def test_without_experiments_there_are_the_columns(tmp_path):
    assert len(text(tmp_path, overview.accuracies([]))) == 1
    assert len(text(tmp_path, overview.curves([]))) == 1
