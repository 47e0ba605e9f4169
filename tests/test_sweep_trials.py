import pytest
import yaml

from imago.core.errors import SweepError
from imago.sweep import trials
from tests import tiny_project


@pytest.fixture
def trainings(tmp_path, monkeypatch):
    """Reads the training of the experiment `validated` with other values."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tiny_project.settings()))
    return lambda *tried: trials.trainings("validated", tried)


def test_trainings_have_the_values_of_their_trials(trainings):
    rates = [
        training.learning_rate for training in trainings({"learning_rate": 0.1}, {"epochs": 3})
    ]
    assert rates == [0.1, 0.01]


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ({"learning_rate": "1e-3"}, r"^learning_rate=1e-3: .*learning_rate must be a number"),
        ({"epochs": "01..10"}, r"^epochs=01..10: .*epochs must be a whole number"),
        ({"learning_rat": 0.1}, r"^learning_rat=0.1: experiments.validated.train.learning_rat "),
        ({"epochs.many": 3}, r"^experiments.validated.train.epochs.many: .* and epochs holds 8$"),
    ],
    ids=str,
)
def test_a_value_that_params_refuse(trainings, trial, message):
    with pytest.raises(SweepError, match=message):
        trainings(trial)


def test_a_trial_is_named_by_what_it_tries():
    assert trials.name("mnist", {"a": 1, "b": 2}) == trials.name("mnist", {"b": 2, "a": 1})
    assert trials.name("mnist", {"a": 1}) != trials.name("mnist", {"a": 2})
    assert trials.name("mnist", {"a": 1}).startswith("mnist-")


def test_params_stay_as_they_are_but_for_the_values():
    before = "experiments:\r\n  b: # one\r\n    train: {rate: 0.1, many: [1, 2]} # two\r\n"
    after = trials.put_into(before, "b", {"rate": 0.02, "many": [3]})
    assert after == before.replace("0.1", "0.02").replace("[1, 2]", "[3]")


def test_a_key_of_what_is_no_section():
    with pytest.raises(SweepError, match=r"experiments\.b.train must be a section"):
        trials.put_into("experiments: {b: {train: 1}}", "b", {"rate": 0.02})
