"""Fonts for a text: Matplotlib's own, and others of the machine for letters that it lacks."""

import functools
import logging
from collections.abc import Sequence

from matplotlib import font_manager, ft2font

log = logging.getLogger(__name__)

FONT = "DejaVu Sans"
"""It comes with Matplotlib, so figures of the letters that it has are the same on any machine."""


def readable(text: str) -> str:
    r"""Return a text in which what no font has is an escape such as \u732b, and say so once."""
    lacking = {letter for letter in _beyond(text) if _other(letter) is None}
    if lacking:
        _say_once()
    return "".join(_escaped(letter) if letter in lacking else letter for letter in text)


def families(text: str) -> Sequence[str]:
    """Return the names of the fonts that a text needs, as Matplotlib looks for its letters."""
    others = {name for letter in _beyond(text) if (name := _other(letter))}
    return [FONT, *sorted(others)]


def _beyond(text: str) -> list[str]:
    return [letter for letter in text if ord(letter) not in _own() and letter.isprintable()]


@functools.cache
def _own() -> frozenset[int]:
    return frozenset(ft2font.FT2Font(font_manager.findfont(FONT)).get_charmap())


@functools.cache
def _other(letter: str) -> str | None:
    """Find the name of a font of the machine that has a letter, and let Matplotlib know of it."""
    for path, letters in _installed():
        if ord(letter) in letters:
            font_manager.fontManager.addfont(path)
            return str(ft2font.FT2Font(path).family_name)
    return None


@functools.cache
def _installed() -> list[tuple[str, frozenset[int]]]:
    """Return the fonts of the machine and the letters that each has."""
    found = []
    for path in sorted(font_manager.findSystemFonts()):
        try:
            found.append((path, frozenset(ft2font.FT2Font(path).get_charmap())))
        except (OSError, RuntimeError):  # FreeType cannot read it, such as one of coloured pixels
            continue
    return found


@functools.cache
def _say_once() -> None:
    log.info(
        r"no font of this machine has some letters of the names; figures write them as \u732b is "
        "written; install a font that has them, such as Noto Sans CJK, or for emoji Symbola, and "
        "draw again"
    )


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
