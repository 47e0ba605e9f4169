import pytest

from imago.core.errors import SweepError
from imago.sweep import space
from imago.sweep.space import Choices, Range


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
        ("epochs=01..10", Choices(["01..10"])),
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
    with pytest.raises(SweepError, match=message):
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
    with pytest.raises(SweepError, match=r"^a: must be values for a grid, got a range; give them"):
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
