from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from imago.drawing import canvas, fonts

OTHERS = Path(mpl.get_data_path(), "fonts/ttf/STIXGeneral.ttf")
WATCH = "\N{WATCH}"
"""Which STIX has, and DejaVu has not."""


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No other test knows the fonts that these have found."""
    found = [fonts._other, fonts._installed, fonts._say_once, canvas.fitted]
    for one in found:
        one.cache_clear()
    yield monkeypatch
    for one in found:
        one.cache_clear()


def install(monkeypatch, *paths):
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [*map(str, paths)])


def ink(text, **how):
    figure = canvas.blank(300, 40)
    canvas.write_text(figure, 10, 10, text, **how)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()


def test_letters_of_matplotlibs_own_font_need_no_other(monkeypatch):
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", None)  # not looked at
    for text in ("Kätzchen", "собака", "✓ true", "two\nlines"):
        assert fonts.readable(text) == text
        assert fonts.families(text) == [fonts.FONT]


def test_another_font_of_the_machine_is_taken(monkeypatch, tmp_path, caplog):
    broken = tmp_path / "a.ttf"
    broken.write_bytes(b"no font")
    install(monkeypatch, broken, OTHERS)
    assert fonts.readable(f"a {WATCH}") == f"a {WATCH}"
    assert fonts.families(f"a {WATCH}") == [fonts.FONT, "STIXGeneral"]
    assert not caplog.messages
    assert (ink(WATCH) != ink("\N{HOURGLASS}")).any()


@pytest.mark.parametrize("how", [{}, {"width_px": 250}, {"bold": True}], ids=str)
def test_letters_that_no_font_has_are_escapes_which_is_said_once(monkeypatch, caplog, how):
    install(monkeypatch)
    caplog.set_level("INFO", "imago")
    assert fonts.readable("猫 a") == r"\u732b a"
    assert (ink("猫", **how) != ink("犬", **how)).any()  # warnings are errors in tests
    (said,) = caplog.messages
    assert said.startswith("no font of this machine has some letters of the names; ")
