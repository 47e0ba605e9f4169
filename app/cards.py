"""A model's card, which its report makes, as a section of the page."""

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from app.texts import Language, Texts, percent, whole
from imago.scoring import metric

Card = Mapping[str, Any]
Cells = dict[str, str]


def show(card: Card, texts: Texts, language: Language) -> None:
    """Show a card to those who open it; nothing where there is none."""
    if not card:
        return
    rows = {
        "limits": sentences(_list(card, "limits")),
        "metrics": metrics(_section(card, "metrics"), texts, language),
        "splits": splits(_section(_section(card, "data"), "splits"), language),
        "confusions": table(_list(card, "confusions"), language),
        "exports": exports(_section(card, "exports"), language),
        "parameters": settings(_section(card, "parameters")),
        "versions": settings(_section(card, "versions")),
    }
    parts = [
        f"<h4>{escape(texts.card_sections[key])}</h4>{_html(found)}"
        for key, found in rows.items()
        if found
    ]
    with st.expander(texts.card):
        st.html(f'<div class="imago-card">{"".join(parts)}</div>')


def sentences(found: list[Any]) -> list[Cells]:
    """Return what a model cannot do: what about, and what is to be said."""
    return [
        {"": str(row.get("about", "")), " ": str(row.get("says", ""))}
        for row in found
        if isinstance(row, Mapping)
    ]


def tested(found: Mapping[str, Any], texts: Texts, language: Language) -> str:
    """Say how many test images had the right answer; by class where classes are unequal."""
    led = metric.leading(found).name
    text = texts.tested if led == "accuracy" else texts.tested_by_class
    return text.format(
        balanced=percent(found[led], language),
        accuracy=percent(found["accuracy"], language),
        examples=whole(found["examples"], language),
    )


def metrics(found: Card, texts: Texts, language: Language) -> list[Cells]:
    """Name the metrics that most readers understand."""
    said = {key: _said(value, language) for key, value in found.items()}
    for name, key in (("accuracy", "interval"), ("balanced_accuracy", "balanced_interval")):
        if {f"{name}_low", f"{name}_high"} <= said.keys():
            said[key] = f"{said[f'{name}_low']} – {said[f'{name}_high']}"
    if "balanced_interval" not in said:  # where classes are equal, as the accuracy says
        said.pop("balanced_accuracy", None)
    return [{"": words, " ": said[key]} for key, words in texts.card_numbers.items() if key in said]


def splits(found: Card, language: Language) -> list[Cells]:
    """Return each split's number of images."""
    return [
        {"": name, " ": _said(split.get("examples"), language)}
        for name, split in found.items()
        if isinstance(split, Mapping)
    ]


def exports(found: Card, language: Language) -> list[Cells]:
    """Return a row for each format."""
    rows = [
        {"format": name, **export} for name, export in found.items() if isinstance(export, Mapping)
    ]
    return table(rows, language)


def table(rows: list[Any], language: Language) -> list[Cells]:
    """Write out rows of text and numbers."""
    return [
        {str(key): _said(value, language) for key, value in row.items()}
        for row in rows
        if isinstance(row, Mapping)
    ]


def settings(found: Card, prefix: str = "") -> list[Cells]:
    """Write sections within sections as keys with dots."""
    rows: list[Cells] = []
    for key, value in found.items():
        if isinstance(value, Mapping):
            rows += settings(value, f"{prefix}{key}.")
        else:
            rows.append({"": f"{prefix}{key}", " ": _written(value)})
    return rows


def _html(rows: list[Cells]) -> str:
    """Write rows as a table; with a head, where the columns have names."""
    names = list(rows[0])
    head = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(row.get(name, str()))}</td>' for name in names)}</tr>"
        for row in rows
    )
    is_named = any(name.strip() for name in names)
    return f"<table>{f'<tr>{head}</tr>' if is_named else ''}{body}</table>"


def _said(value: Any, language: Language) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return whole(value, language)
    if isinstance(value, float) and 0.001 <= value <= 1:
        return percent(value, language)
    return _written(value)


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _section(card: Card, key: str) -> Card:
    found = card.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(card: Card, key: str) -> list[Any]:
    found = card.get(key)
    return found if isinstance(found, list) else []
