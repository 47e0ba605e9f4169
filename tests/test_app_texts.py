import dataclasses
import string
from collections.abc import Mapping
from typing import get_args

import pytest

from app import certainty, intake, texts
from imago.predict.predictor import Reason


def fields(value: object) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(str(value)) if name}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(texts.Texts)])
def test_both_languages_say_the_same_things(field: str) -> None:
    english, portuguese = getattr(texts.ENGLISH, field), getattr(texts.PORTUGUESE, field)
    if field == "classes":
        return
    if isinstance(english, Mapping):
        assert english.keys() == portuguese.keys()
        for key in english:
            assert fields(english[key]) == fields(portuguese[key])
    else:
        assert english
        assert portuguese
        assert fields(english) == fields(portuguese)


def test_every_case_has_words() -> None:
    assert {*texts.ENGLISH.certainty} == {*get_args(certainty.Certainty)}
    assert {*texts.ENGLISH.unsure} == {*get_args(Reason)}
    assert {*texts.ENGLISH.faults} == {*get_args(intake.Fault)}
    assert {*texts.ENGLISH.sources} == {*get_args(texts.Source)}
    for sure, words in texts.ENGLISH.certainty.items():
        assert ("{second}" in words) is (sure in ("unsure", "guessing"))


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("pt-BR", "pt"),
        ("pt_PT", "pt"),
        ("PT", "pt"),
        ("pt-BR,en;q=0.8", "pt"),
        ("en-GB,pt;q=0.8", "en"),
        ("ptx", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_preferred(locale: str | None, language: str) -> None:
    assert texts.preferred(locale) == language


@pytest.mark.parametrize(
    ("share", "english", "portuguese"),
    [
        (0.975, "97.5 %", "97,5 %"),
        (0.0004, "< 0.1 %", "< 0,1 %"),
        (0.001, "0.1 %", "0,1 %"),
        (0.99996, "> 99.9 %", "> 99,9 %"),
        (1.0, "> 99.9 %", "> 99,9 %"),
    ],
)
def test_probabilities(share: float, english: str, portuguese: str) -> None:
    assert texts.probability(share, "en").replace("\N{NO-BREAK SPACE}", " ") == english
    assert texts.probability(share, "pt").replace("\N{NO-BREAK SPACE}", " ") == portuguese


def test_numbers() -> None:
    assert texts.percent(1, "en") == "100.0\N{NO-BREAK SPACE}%"
    assert (texts.whole(12345, "en"), texts.whole(12345, "pt")) == (
        "12,345",
        "12\N{NO-BREAK SPACE}345",
    )


def test_names_of_classes() -> None:
    assert texts.PORTUGUESE.name("cat") == "gato"
    assert texts.PORTUGUESE.name("axolotl") == "axolotl"
    assert texts.ENGLISH.name("cat") == "cat"
