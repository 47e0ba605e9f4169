"""A model's card, as its report has it, in a section of the page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.texts import Texts


def show(card: Mapping[str, Any], texts: Texts) -> None:
    """Show a card to those who open it; nothing where there is none."""
    if not card:
        return
    with st.expander(texts.card):
        st.json(dict(card))
