import io

import pytest

from imago import terminal


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["Accuracy 97.00 % · Data set mnist"]),
        (30, ["Accuracy 97.00 % ·", "Data set mnist"]),
        (16, ["Accuracy 97.00 %", "· Data set mnist"]),
        (10, ["Accuracy", "97.00 % ·", "Data set", "mnist"]),
        (4, ["Accuracy", "97.00", "% ·", "Data", "set", "mnist"]),
    ],
)
def test_lines_break_between_items_and_never_in_words(width, lines):
    items = ["Accuracy 97.00 %", "Data set mnist"]
    assert terminal.folded(items, width).splitlines() == lines


@pytest.mark.parametrize(
    ("name", "shown", "cells"),
    [("a b.png", "a b.png", 7), ("犬.png", "犬.png", 6), ("e\u0301", "e\u0301", 1)],
    ids=["plain", "wide", "combined"],
)
def test_columns_that_a_name_takes(name, shown, cells):
    assert terminal.printable(name) == shown
    assert terminal.cells(name) == cells


def test_what_breaks_or_turns_lines_is_an_escape():
    name = "a\nb\x1b[1m\u2028\u202e\udce9"
    assert terminal.printable(name) == r"a\nb\x1b[1m\u2028\u202e\udce9"


@pytest.mark.parametrize(("encoding", "text"), [("ascii", r'"\u00e4"'), ("utf-8", '"ä"')])
def test_json_is_json_in_any_encoding(encoding, text, monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    assert terminal.as_json("ä") == text


def test_a_log_has_no_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal.columns() is None
    monkeypatch.setenv("COLUMNS", "40")
    assert terminal.columns() == 40
