"""How entries end, whatever fails in them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imago.core import boundary
from imago.core.errors import DataError

pytestmark = pytest.mark.fault

REPOSITORY = Path(__file__).parents[1]
WAY_OUT = "; IMAGO_TRACEBACK=1 shows where it comes from"


def failing(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize("given", [None, 0, 3], ids=str)
def test_the_exit_code_of_the_work(given, capsys):
    assert boundary.run("x", lambda: given) == (given or 0)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DataError("a.csv: torn"), "a.csv: torn"),
        (FileNotFoundError(2, "No such file", "a"), "[Errno 2] No such file: 'a'"),
        (TimeoutError(), "TimeoutError"),
        (KeyError("name"), f"KeyError: 'name'{WAY_OUT}"),
        (RuntimeError("\n  first\nsecond"), f"RuntimeError: first{WAY_OUT}"),
        (MemoryError(), f"MemoryError{WAY_OUT}"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_one_line(error, said, capsys, monkeypatch):
    monkeypatch.delenv("IMAGO_TRACEBACK", raising=False)
    assert boundary.run("train tiny", failing(error)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("train tiny: ")
    assert said is None or err == f"train tiny: {said}\n"


def test_a_command_has_its_own_code_for_a_failure(capsys):
    assert boundary.run("x", failing(KeyError()), failure=2) == 2
    assert capsys.readouterr().err == f"x: KeyError{WAY_OUT}\n"


def test_an_interrupt_is_one_line(capsys):
    assert boundary.run("x", failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "x: interrupted\n"


@pytest.fixture
def interruptible():
    """Background jobs, such as tests may be, ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_that_a_library_makes_another_error_of_is_one(capsys):
    def work():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("cannot build") from None

    assert boundary.run("x", work, failure=2) == 130
    assert boundary.run("outer", lambda: boundary.run("x", work, failure=2)) == 130
    assert capsys.readouterr().err == 2 * "x: interrupted\n"
    assert boundary.run("x", failing(KeyError()), failure=2) == 2  # what was is over
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_in_a_finalizer_is_not_lost(capsys):
    class Interrupted:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def work():
        Interrupted()
        for _ in range(3000):
            time.sleep(0.001)

    assert boundary.run("x", work) == 130
    assert capsys.readouterr().err == "x: interrupted\n"


@pytest.mark.parametrize("error", [DataError("torn"), KeyError("a"), KeyboardInterrupt()])
def test_the_whole_is_shown_where_asked_for(error, capsys, monkeypatch):
    monkeypatch.setenv("IMAGO_TRACEBACK", "1")
    boundary.run("x", failing(error))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any("in failing" in line or "in work" in line for line in lines)
    assert lines[-1].startswith("x: ")


def shell(script, **environment):
    """Run a shell script in which $RUN is an entry that prints, sleeps not, and makes `done`."""
    code = (
        "import sys; from imago.core import boundary\n"
        "def work():\n"
        "    print('ä' * 70000); print('e', file=sys.stderr); sys.stdin.read(0)\n"
        "    kept = open('done', 'w'); assert kept.fileno() > 2; kept.write('all')\n"
        "raise SystemExit(boundary.run('x', work))\n"
    )
    return subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "CODE": code, "PY": sys.executable}
        | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "streams", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"], ids=["out", "err", "in", "all"]
)
def test_what_is_closed_hinders_no_work(streams, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = shell(f'"$PY" -c "$CODE" {streams}')
    assert ended.returncode == 0
    assert (tmp_path / "done").read_text() == "all"
    assert b"Traceback" not in ended.stderr


def test_whoever_has_read_enough_is_left_in_peace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = shell('"$PY" -c "$CODE" | head -c 1; echo ${PIPESTATUS[0]}')
    assert ended.stdout.splitlines()[-1][-3:] == b"141"
    assert ended.stderr in (b"", b"e\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_stream_that_is_full_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = shell('"$PY" -c "$CODE" > /dev/full')
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == b"x: [Errno 28] No space left on device"
    assert b"Exception ignored" not in ended.stderr


def test_letters_that_the_encoding_lacks_are_escapes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = shell('"$PY" -c "$CODE"', PYTHONIOENCODING="ascii:strict")
    assert (ended.returncode, ended.stdout) == (0, b"\\xe4" * 70000 + b"\n")
