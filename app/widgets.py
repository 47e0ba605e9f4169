"""The parts of the page that run in the browser: paper to draw on, pasting, examples to click."""

from pathlib import Path
from typing import Any

import streamlit as st

from app import answers, drawing, limits
from app.catalog import Example
from app.texts import Texts

_FOLDER = Path(__file__).with_name("components")


def _part(name: str, kind: str) -> str:
    return (_FOLDER / f"{name}.{kind}").read_text("utf-8")


def _component(name: str) -> Any:
    html, css, js = (_part(name, kind) for kind in ("html", "css", "js"))
    return st.components.v2.component(f"imago.{name}", html=html, css=css, js=js)


_draw, _paste, _examples = map(_component, ("draw", "paste", "examples"))


def draw(texts: Texts) -> list[drawing.Stroke]:
    """Return paper, and what was drawn on it so far."""
    words = {"label": texts.draw_label, "keys": texts.draw_keys}
    words |= {"undo": texts.undo, "clear": texts.clear}
    kept = st.session_state.get("strokes", [])
    found = _draw(key="draw", data=words | {"strokes": kept}, on_strokes_change=_nothing)
    value = found.strokes if found.strokes is not None else kept
    st.session_state["strokes"] = value
    return drawing.strokes(value)


def paste(texts: Texts) -> None:
    """Let visitors paste pictures, which come in by the uploader on the same page."""
    words = {"button": texts.paste_button, "hint": texts.paste_hint}
    words |= {"nothing": texts.paste_nothing, "done": texts.paste_done}
    _paste(key="paste", data=words, on_pasted_change=_nothing)


def examples(model: str, found: list[Example], texts: Texts) -> int | None:
    """Show examples, and give the position of the one that was clicked last."""
    kept = st.session_state.get(f"chosen {model}")
    images = [
        {
            "url": answers.thumbnail(example.pixels),
            "label": texts.example_label.format(number=number, label=texts.name(example.label)),
        }
        for number, example in enumerate(found, 1)
    ]
    data = {"images": images, "label": texts.example_choose, "chosen": kept}
    value = _examples(key=f"examples {model}", data=data, on_chosen_change=_nothing).chosen
    chosen = value if isinstance(value, int) and 0 <= value < len(found) else kept
    st.session_state[f"chosen {model}"] = chosen
    return chosen


def translated(texts: Texts) -> str:
    """Return the style that puts our words in the place of Streamlit's, which has English only."""
    megabytes = limits.IMAGE_BYTES // 2**20
    words = {
        "upload": texts.upload_button,
        "limit": texts.upload_limits.format(megabytes=megabytes),
        "refused": texts.upload_refused.format(megabytes=megabytes),
        "take": texts.camera_button,
        "again": texts.camera_again,
        "allow": texts.camera_permission,
    }
    lines = "".join(f"--imago-{key}: {_quoted(text)};" for key, text in words.items())
    return f"<style>:root {{{lines}}}\n{_part('streamlit', 'css')}</style>"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _nothing() -> None:
    """Take note of a change; the script runs anyway."""
