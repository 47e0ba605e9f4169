import io
import logging

import pytest

from imago.core import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress.bar("photos.zip", 2_000_000, "B") as advance:
        advance(1_000_000)
    shown = terminal.getvalue()
    assert "photos.zip" in shown
    assert "2.00M" in shown
    assert shown.endswith("\r")  # wiped


def test_a_narrow_terminal_has_the_count_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda _: (40, 24))
    with progress.bar("train-images-idx3-ubyte.gz", 30, "images") as advance:
        advance(10)
    assert "\r0 of 30 images" in terminal.getvalue()
    assert max(map(len, terminal.getvalue().split("\r"))) <= 40


def test_a_dumb_terminal_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "dumb")
    with progress.bar("photos.zip", 9, "B") as advance:
        advance(9)
    assert terminal.getvalue() == ""


def test_a_log_gets_no_line_for_short_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    with caplog.at_level(logging.INFO, "imago"), progress.bar("photos.zip", 9, "B") as advance:
        advance(9)
    assert caplog.messages == []
    assert stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("total", "unit", "initial", "lines"),
    [
        (3000, "images", 0, ["views: 1,000 of 3,000 images", "views: 2,000 of 3,000 images"]),
        (3000, "B", 500, ["views: 1.50kB of 3.00kB", "views: 2.50kB of 3.00kB"]),
        (None, "images", 0, ["views: 1,000 images", "views: 2,000 images"]),
    ],
    ids=["count", "bytes, resumed", "no total"],
)
def test_a_log_gets_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    total: int | None,
    unit: str,
    initial: int,
    lines: list[str],
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    caplog.set_level(logging.INFO, "imago")
    with progress.bar("views", total, unit, initial) as advance:
        advance(1000)
        advance(1000)
    assert caplog.messages == lines


def test_items_pass_and_are_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with caplog.at_level(logging.INFO, "imago"):
        assert list(progress.over("ab", "letters", 2, "letters")) == ["a", "b"]
    assert caplog.messages == ["letters: 1 of 2 letters", "letters: 2 of 2 letters"]
