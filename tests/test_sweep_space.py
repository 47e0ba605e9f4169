import pytest
import yaml

from imago.core.errors import SearchError
from imago.sweep import ranking, runs, space
from imago.sweep.ranking import Result
from imago.sweep.space import Choices, Range
from tests import tiny_project

HISTORY = """epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate
1,0.9,0.6,0.5,0.70,0.1
2,0.5,0.8,0.3,0.80,0.1
3,0.3,0.9,0.4,0.90,0.1
4,0.2,0.9,0.6,0.85,0.1
"""


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("rate=0.1,0.01", Choices([0.1, 0.01])),
        ("hidden_units=[8],[16, 8]", Choices([[8], [16, 8]])),
        ("optimizer=sgd,adam", Choices(["sgd", "adam"])),
        ("class_weights=null,balanced", Choices([None, "balanced"])),
        ("augment={shift: 0.1},null", Choices([{"shift": 0.1}, None])),
        ("rate=0.0001..0.1:log", Range(0.0001, 0.1, by_ratio=True)),
        ("dropout=0.0..0.5", Range(0.0, 0.5, by_ratio=False)),
        ("batch_size=16..128", Range(16, 128, by_ratio=False)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_of_a_key(text, values):
    key = text.partition("=")[0]
    assert space.parse([text]) == {key: values}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["rate"], r"^rate: must be key=value,value,… or key=low..high$"),
        (["rate="], r"^rate=: must be key=value"),
        (["a=1", "a=2"], r"^a: must stand once, got 'a=2' as well$"),
        (["rate=2..1"], r"^rate: must go from low to high, got 2..1$"),
        (
            ["rate=0..1:log"],
            r"^rate: must go from a number above 0 to a greater one, got 0..1:log$",
        ),
        (["rate=[1"], r"^rate: must be values as in params.yaml, got \[1: "),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_values_that_are_none(texts, message):
    with pytest.raises(SearchError, match=message):
        space.parse(texts)


def test_a_grid_has_every_combination_once():
    wanted = space.parse(["a=1,2", "b=x,y,x"])
    assert space.grid(wanted) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_a_grid_needs_values():
    with pytest.raises(SearchError, match=r"^a: must be values for a grid, got a range; give them"):
        space.grid(space.parse(["a=1..2"]))


def test_draws_are_in_their_ranges_and_of_their_types():
    wanted = space.parse(["rate=0.001..0.1:log", "units=4..6", "drop=0.0..0.5", "sizes=8..64:log"])
    trials = space.sample(wanted, 300, seed=1)
    rates = sorted(trial["rate"] for trial in trials)
    assert 0.001 <= rates[0] < rates[-1] <= 0.1
    assert rates[150] == pytest.approx(0.01, rel=0.4)  # half below the geometric mean
    assert {trial["units"] for trial in trials} == {4, 5, 6}
    assert all(0 <= trial["drop"] <= 0.5 for trial in trials)
    assert all(isinstance(trial["sizes"], int) and 8 <= trial["sizes"] <= 64 for trial in trials)
    assert all(len(f"{rate:g}".lstrip("0.")) <= 3 for rate in rates)


def test_draws_are_those_of_the_seed_and_a_longer_search_goes_on_from_a_shorter():
    wanted = space.parse(["rate=0.001..0.1:log", "units=4..600"])
    assert space.sample(wanted, 5, seed=1) == space.sample(wanted, 9, seed=1)[:5]
    assert space.sample(wanted, 5, seed=1) != space.sample(wanted, 5, seed=2)


def test_what_is_drawn_twice_is_tried_once():
    assert len(space.sample(space.parse(["a=1,2"]), 50, seed=1)) == 2


@pytest.fixture
def recipes(tmp_path, monkeypatch):
    """Reads the recipe of the experiment `validated` with other values."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tiny_project.settings()))
    return lambda *trials: runs.recipes("validated", trials)


def test_recipes_have_the_values_of_their_trials(recipes):
    rates = [recipe.learning_rate for recipe in recipes({"learning_rate": 0.1}, {"epochs": 3})]
    assert rates == [0.1, 0.01]


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ({"learning_rate": "1e-3"}, r"^learning_rate=1e-3: .*learning_rate must be a number"),
        ({"learning_rat": 0.1}, r"^learning_rat=0.1: experiments.validated.train.learning_rat "),
        ({"epochs.many": 3}, r"^experiments.validated.train.epochs.many: .* and epochs holds 8$"),
    ],
    ids=str,
)
def test_a_value_that_params_refuse(recipes, trial, message):
    with pytest.raises(SearchError, match=message):
        recipes(trial)


@pytest.mark.parametrize(
    ("stopping", "epoch"),
    [
        (None, 4),
        ({"monitor": "validation_loss", "patience_epochs": 5}, 2),
        ({"monitor": "validation_accuracy", "patience_epochs": 5}, 3),
    ],
    ids=["none", "loss", "accuracy"],
)
def test_the_figures_are_those_of_the_weights_that_are_kept(recipes, stopping, epoch):
    (recipe,) = recipes({"early_stopping": stopping})
    found = ranking.result("a", HISTORY, recipe)
    losses, accuracies = [0.5, 0.3, 0.4, 0.6], [0.7, 0.8, 0.9, 0.85]
    assert found == Result("a", epoch, accuracies[epoch - 1], losses[epoch - 1])


def test_without_validation_figures_there_is_no_result(recipes):
    history = HISTORY.replace("0.3,0.80", ",")
    with pytest.raises(SearchError, match=r"^a: history.csv must have validation figures"):
        ranking.result("a", history, recipes({})[0])


def test_the_best_is_the_most_accurate_and_among_equals_that_of_the_least_loss():
    results = [Result("a", 1, 0.9, 0.3), Result("b", 1, 0.9, 0.2), Result("c", 1, 0.95, 0.9)]
    assert [found.name for found in ranking.ranked(results)] == ["c", "b", "a"]


def test_table():
    trials = {"a-1": {"rate": 0.1, "units": [8]}, "a-2": {"rate": 0.025, "units": [16, 8]}}
    results = [Result("a-2", 12, 0.98765, 0.04321), Result("a-1", 3, 0.9, 0.5)]
    assert ranking.table(results, trials).splitlines() == [
        "validation accuracy    loss  epoch   rate    units  name",
        "             98.77%  0.0432     12  0.025  [16, 8]   a-2",
        "             90.00%  0.5000      3    0.1      [8]   a-1",
    ]


def test_a_trial_is_named_by_what_it_tries():
    assert runs.name("mnist", {"a": 1, "b": 2}) == runs.name("mnist", {"b": 2, "a": 1})
    assert runs.name("mnist", {"a": 1}) != runs.name("mnist", {"a": 2})
    assert runs.name("mnist", {"a": 1}).startswith("mnist-")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.001, "0.001"),
        (1e-05, "1e-05"),
        (True, "true"),
        (None, "null"),
        ("adam", "adam"),
        ("two words", '"two words"'),
        ([8, [16]], "[8,[16]]"),
        ({"kind": "cosine", "warmup_epochs": 1}, "{kind:cosine,warmup_epochs:1}"),
    ],
    ids=str,
)
def test_values_as_dvc_reads_them(value, text):
    assert runs.written(value) == text


def test_params_stay_as_they_are_but_for_the_values():
    before = "# all\na: {units: [8, 4], kind: 'x'} # one\nb:\n  rate: 0.1 # two\n  many: [1, 2]\n"
    after = runs.edited(before, {"b.rate": 0.02, "b.many": [3], "b.new": {"c": 1}, "a.kind": "new"})
    assert after == (
        "# all\na: {units: [8, 4], kind: 'new'} # one\nb:\n  rate: 0.02 # two\n  many: [3]\n"
        "  new: {c: 1}\n"
    )
