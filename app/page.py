"""The page: a picture in, a model's answer out. Streamlit runs this file for every change."""

import logging
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from app import answer_html, answers, cards, catalog, drawing, intake, limits, looking, widgets
from app.answers import Answer, Picture
from app.texts import BY_LANGUAGE, LANGUAGES, Language, Source, Texts, preferred
from imago.core.errors import ImagoError
from imago.predict.predictor import Predictor

CLASSES_NAMED = 3
# Drawn here, since Streamlit would fetch one of its own from another host.
ICON = np.zeros((32, 32, 3), np.uint8) + np.array([42, 120, 214], np.uint8)
ICON[6:10, 6:26] = ICON[14:18, 6:20] = ICON[22:26, 6:12] = 255  # bars

log = logging.getLogger("imago.app")


def main() -> None:
    """Lay out the page."""
    st.set_page_config(page_title="imago", page_icon=Image.fromarray(ICON), layout="wide")
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        head = st.container(width="content")
        language = _language()
    texts = BY_LANGUAGE[language]
    st.html(answer_html.STYLE + widgets.translated(texts))
    head.title(texts.title, anchor=False)
    st.write(texts.subtitle)
    names = catalog.names()
    if not names:
        st.info(texts.no_models, icon=":material/model_training:")
        st.write(texts.no_models_how)
        st.code("make repro", language="console")
        return
    asking, answering = st.columns([5, 7], gap="large")
    with asking:
        name, predictor = _model(names, texts, language)
        pictures = _pictures(name, predictor, texts) if predictor else []
    with answering:
        if predictor:
            _answers(name, predictor, pictures, texts, language)
    if predictor:
        cards.show(catalog.card(name), texts, language)
    st.caption(f"{texts.private} {texts.programs}")


def _language() -> Language:
    """Ask for a language; the browser's own, or the one in the address, comes first."""
    asked = st.query_params.get("lang")
    first = preferred(asked if asked is not None else _browser_locale())
    options = list(LANGUAGES)
    chosen = st.segmented_control(
        "Language / Língua",
        options,
        default=first,
        required=True,
        format_func=LANGUAGES.__getitem__,
        key="language",
        label_visibility="collapsed",
    )
    return chosen or first


def _browser_locale() -> str | None:
    return st.context.locale or st.context.headers.get("Accept-Language")


def _model(names: list[str], texts: Texts, language: Language) -> tuple[str, Predictor | None]:
    """Ask for a model, and say what it knows."""
    name = st.selectbox(
        texts.model, names, key="model", format_func=lambda each: _in_short(each, texts)
    )
    try:
        predictor = catalog.load(name)
    except (ImagoError, OSError) as error:
        st.error(texts.not_loaded.format(reason=error))
        return name, None
    classes = ", ".join(map(texts.name, predictor.classes))
    known = texts.knows.format(count=len(predictor.classes), classes=f"**{_plain(classes)}**")
    reasons = (predictor.unsure_beyond is not None, predictor.unsure_below > 0)
    lines = [f"{known} {texts.may_refuse.get(reasons, texts.forced)}"]
    metrics = catalog.metrics(name)
    if {"accuracy", "examples"} <= metrics.keys():
        lines.append(cards.tested(metrics, texts, language))
    st.markdown(" ".join(lines))
    return name, predictor


def _in_short(name: str, texts: Texts) -> str:
    """Name a model with the first things that it knows."""
    try:
        classes = catalog.load(name).classes
    except (ImagoError, OSError):
        return name
    some = ", ".join(map(texts.name, classes[:CLASSES_NAMED]))
    return f"{name}: {some}{', …' if len(classes) > CLASSES_NAMED else ''}"


def _pictures(name: str, predictor: Predictor, texts: Texts) -> list[Picture]:
    """Ask for pictures, in the way that the visitor chooses."""
    ways: dict[Source, Callable[[], list[Picture]]] = {
        "photos": lambda: _photos(texts),
        "camera": lambda: _camera(texts),
        "drawing": lambda: _drawing(texts),
        "examples": lambda: _examples(name, texts),
    }
    if not catalog.knows_digits(predictor):
        del ways["drawing"]
    way = st.segmented_control(
        texts.how,
        list(ways),
        default="photos",
        required=True,
        format_func=texts.sources.__getitem__,
        key="way",
        label_visibility="collapsed",
    )
    return ways.get(way, ways["photos"])()


def _photos(texts: Texts) -> list[Picture]:
    files = st.file_uploader(
        texts.upload,
        accept_multiple_files=True,
        max_upload_size=limits.IMAGE_BYTES // 2**20,
        key="photos",
    )
    widgets.paste(texts)
    if len(files) > limits.IMAGES:
        st.warning(texts.too_many.format(count=limits.IMAGES))
    return [Picture(file.file_id, file.name, file.getvalue) for file in files[: limits.IMAGES]]


def _camera(texts: Texts) -> list[Picture]:
    file = st.camera_input(texts.camera, key="camera")
    st.caption(texts.camera_none)
    return [Picture(file.file_id, texts.photographed, file.getvalue)] if file else []


def _drawing(texts: Texts) -> list[Picture]:
    st.write(texts.draw)
    strokes = widgets.draw(texts)
    if not strokes:
        return []
    return [Picture(repr(strokes), texts.drawn, lambda: drawing.render(strokes))]


def _examples(name: str, texts: Texts) -> list[Picture]:
    found = catalog.examples(name)
    if not found:
        st.info(texts.no_examples)
        return []
    st.write(texts.examples)
    position = widgets.examples(name, found, texts)
    if position is None:
        return []
    pixels, label = found[position].pixels, found[position].label
    return [Picture(f"example {position}", texts.example, lambda: pixels, label)]


def _answers(
    name: str, predictor: Predictor, pictures: list[Picture], texts: Texts, language: Language
) -> None:
    """Show the answers, and then, if it is wanted, what they were made from."""
    if not pictures:
        st.html(answer_html.waiting(texts))
        return
    several = len(pictures) > 1
    st.subheader(texts.answers_title if several else texts.answer_title, anchor=False)
    looks = catalog.is_convolutional(name) and st.toggle(
        texts.looks_toggle, help=texts.looks_help, key="looks"
    )
    known: dict[tuple[str, str], Any] = st.session_state.setdefault("answers", {})
    places = []
    for found in answers.remembered(pictures, predictor, name, known):
        place = st.empty()
        if isinstance(found, intake.Rejected):
            place.html(answer_html.refusal(found, texts))
            continue
        place.html(_card(name, found, texts, language))
        places.append((place, found))
    if looks and places:
        _show_where_it_looked(name, places, texts, language)


def _card(
    name: str, found: Answer, texts: Texts, language: Language, looked_at: str | None = None
) -> str:
    worth = catalog.reliability(name, found.prediction.probability)
    return answer_html.answer(found, texts, language, worth, looked_at)


def _show_where_it_looked(
    name: str, places: list[tuple[Any, Answer]], texts: Texts, language: Language
) -> None:
    """Add to answers that are on the page already; TensorFlow takes seconds to start."""
    try:
        with st.spinner(texts.looks_loading):
            pictures = looking.load(name)(np.stack([found.seen for _, found in places]))
    except (ImagoError, OSError) as error:
        log.warning("%s: %s", name, error)
        st.info(texts.looks_failed)
        return
    for (place, found), picture in zip(places, pictures, strict=True):
        looked_at = answers.data_url(answers.enlarged(picture), "png")
        place.html(_card(name, found, texts, language, looked_at))


def _plain(text: str) -> str:
    """Take from a text what Markdown would read as a sign."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~$:])", r"\\\1", text)


main()
