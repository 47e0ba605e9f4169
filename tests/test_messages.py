from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from imago.core import messages


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Cat(Strict):
    kind: Literal["cat"]
    lives: int


class Dog(Strict):
    kind: Literal["dog"]
    tricks: list[str] = []


class Zoo(Strict):
    name: Annotated[str, Field(pattern="^[a-z]+$", max_length=5)] = "zoo"
    code: Annotated[str, Field(pattern="^[0-9]$")] = "0"
    weight_kg: float = 1.0
    visitors: int = 0
    is_open: bool = True
    star: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    cages: dict[str, list[Annotated[Cat | Dog, Field(discriminator="kind")]]] = {}

    @field_validator("visitors")
    @classmethod
    def _visitors_come_in_pairs(cls, visitors: int) -> int:
        if visitors % 2:
            message = "visitors come in pairs"
            raise ValueError(message)
        return visitors


def described(raw: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Zoo.model_validate(raw)
    patterns, known = (
        {"^[a-z]+$": "lower-case letters"},
        ["visitors", "weight_kg", "visitor", "lives"],
    )
    return [messages.describe(fault, raw, Zoo, patterns, known) for fault in caught.value.errors()]


NUMBER_HINT = "; write numbers without quotes or exponent, as 0.001"


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({"name": "Zoo"}, "name must be lower-case letters, got 'Zoo'"),
        ({"name": "5"}, "name must be lower-case letters, got '5'"),
        ({"name": 5}, "name must be text; put it in quotes, got 5"),
        ({"name": "zoozoo"}, "name must have at most 5 characters, got 'zoozoo'"),
        ({"code": "x"}, "code must be text that matches ^[0-9]$, got 'x'"),
        ({"weight_kg": "1e-3"}, f"weight_kg must be a number, got '1e-3'{NUMBER_HINT}"),
        ({"weight_kg": "heavy"}, "weight_kg must be a number, got 'heavy'"),
        ({"weight_kg": None}, "weight_kg must be a number, got null"),
        ({"visitors": "2"}, f"visitors must be a whole number, got '2'{NUMBER_HINT}"),
        ({"visitors": 2.5}, "visitors must be a whole number, got 2.5"),
        ({"visitors": 3}, "visitors: visitors come in pairs"),
        ({"is_open": "1"}, "is_open must be true or false, got '1'"),
        ({"visitrs": 1}, "visitrs is an unknown key, got 1; did you mean visitors?"),
        ({"live": 1}, "live is an unknown key, got 1"),
        (
            {"star": {"kind": "cat", "lives": 7, "live": 1}},
            "star.live is an unknown key, got 1; did you mean lives?",
        ),
        ({"visitor": 1}, "visitor is an unknown key, got 1; did you mean visitors?"),
        ({"sky": {"a": 1}}, "sky is an unknown key, got {'a': 1}"),
        ({5: 1}, "5 must be a name: text that is no number and no word of YAML, got 5"),
        ({None: 1}, "null must be a name: text that is no number and no word of YAML, got null"),
        (
            {"cages": {False: []}},
            "cages.false must be a name: text that is no number and no word of YAML, got false",
        ),
        (
            {"cages": {1.5: []}},
            "cages.1.5 must be a name: text that is no number and no word of YAML, got 1.5",
        ),
        ({"cages": [1]}, "cages must be a section of keys and values, got [1]"),
        ({"cages": {"a": {}}}, "cages.a must be a list, got {}"),
        ({"star": "cat"}, "star must be a section of keys and values, got 'cat'"),
        ({"star": {}}, "star.kind is missing"),
        ({"star": {"kind": "cow"}}, "star.kind must be one of 'cat', 'dog', got 'cow'"),
        ({"star": {"kind": None}}, "star.kind must be one of 'cat', 'dog', got null"),
        ({"star": {"kind": "cat"}}, "star.lives is missing"),
        (
            {"star": {"kind": "dog", "tricks": [1]}},
            "star.tricks.0 must be text; put it in quotes, got 1",
        ),
        (
            {"cages": {"a": [{"kind": "cat", "lives": 7}, {"kind": "cat"}]}},
            "cages.a.1.lives is missing",
        ),
        ([], "the file must be a section of keys and values, got []"),
        (None, "the file must be a section of keys and values, got null"),
    ],
)
def test_line(raw, line):
    assert described(raw) == [line]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0.5, "0.5"),
        ("a'b", '"a\'b"'),
        ([1, 2, 3, 4, 5, 6, 7], "[1, 2, 3, 4, 5, 6, ...]"),
        ({"b": 1, "a": 2, "c": 3, "d": 4, "e": 5}, "{'a': 2, 'b': 1, 'c': 3, 'd': 4, ...}"),
        ({"a": "x" * 100}, "{'a': '" + "x" * 12 + "..." + "x" * 13 + "'}"),
        ("x" * 64, repr("x" * 64)),
    ],
    ids=str,
)
def test_value_is_shown_as_the_file_has_it_and_short(value, shown):
    assert described({"sky": value}) == [f"sky is an unknown key, got {shown}"]


def test_each_fault_is_described_by_itself():
    raw = {"is_open": 1, "cages": {"a": [{"kind": "cat", "lives": "9"}]}, "name": None}

    assert described(raw) == [
        "name must be text; put it in quotes, got null",
        "is_open must be true or false, got 1",
        f"cages.a.0.lives must be a whole number, got '9'{NUMBER_HINT}",
    ]
