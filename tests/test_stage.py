"""Stages run as they are from dvc.yaml: `python -m stages.<stage> <name>`."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from imago.core import running

pytestmark = pytest.mark.fault

REPOSITORY = Path(__file__).parents[1]

STAGE = '''"""Do one thing, 100 % of the time.

Reads   nothing
Writes  nothing
"""

import logging

from imago.core import errors, stage

log = logging.getLogger("imago.stages.shout")


def main(name: str) -> None:
    BODY


if __name__ == "__main__":
    stage.run(main, __doc__)
'''


PARENT = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]
"""Runs a stage as its child."""

ALONE = STAGE.replace("main(name: str)", "main()").replace("stage.run(", "stage.run_alone(")


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a stage, `shout`, with a given body and arguments."""

    def start(body, *arguments, template=STAGE, through=()):
        folder = tmp_path / "stages"
        folder.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / "stages/__init__.py", folder)
        (folder / "shout.py").write_text(template.replace("BODY", body), "utf-8")
        return subprocess.Popen(
            [*through, sys.executable, "-m", "stages.shout", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Background jobs, such as tests may be, ignore interrupts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    return start


@pytest.fixture
def stage(start):
    """Return a function that runs a stage to its end."""

    def run(body, *arguments, **options):
        with start(body, *arguments, **options) as process:
            said, complained = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, said, complained)

    return run


def outcome(ended):
    return ended.returncode, ended.stdout, ended.stderr


def test_success(stage):
    assert outcome(stage("print(name.upper())", "tiny")) == (0, "TINY\n", "")


def test_a_stage_that_takes_no_name(stage):
    assert outcome(stage("print('done')", template=ALONE)) == (0, "done\n", "")


def test_a_stage_that_takes_no_name_fails_in_one_line(stage):
    ended = stage("raise errors.DataError('a: b')", template=ALONE)
    assert outcome(ended) == (1, "", "shout: a: b\n")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        pytest.param("raise errors.ImagoError('a: b')", "a: b", id="ImagoError"),
        pytest.param("raise errors.ParamsError('seed is missing')", "seed is missing", id="params"),
        pytest.param("raise errors.DataError('x.npy: torn')", "x.npy: torn", id="data"),
        pytest.param("raise errors.SourceError('no source')", "no source", id="source"),
        pytest.param("raise errors.ExportError('differs')", "differs", id="export"),
        pytest.param(
            "open('gone/x.npy')",
            "[Errno 2] No such file or directory: 'gone/x.npy'",
            id="OSError",
        ),
        pytest.param("raise TimeoutError('timed out')", "timed out", id="a kind of OSError"),
        pytest.param("raise errors.ParamsError('one\\ntwo')", "one\ntwo", id="two lines"),
    ],
)
def test_failure_that_can_be_mended_is_said_without_traceback(stage, body, line):
    assert outcome(stage(body, "tiny")) == (1, "", f"shout tiny: {line}\n")


def test_a_foreign_failure_is_one_line_with_a_way_out(stage):
    ended = stage("raise RuntimeError('what: more\\nand more')", "tiny")
    line = "shout tiny: RuntimeError: what: more; IMAGO_TRACEBACK=1 shows where it comes from\n"
    assert outcome(ended) == (1, "", line)


def test_the_traceback_is_there_for_who_asks(stage, monkeypatch):
    monkeypatch.setenv("IMAGO_TRACEBACK", "1")
    ended = stage("raise errors.DataError('a: b')", "tiny")

    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback (most recent call last):")
    assert "stages/shout.py" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "shout tiny: a: b"


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("raise ImportError('no such library')", 1, "ImportError: no such library; IMAGO_TRA"),
        ("raise KeyboardInterrupt", -2, "interrupted\n"),
    ],
    ids=["fails", "interrupted"],
)
def test_what_ends_an_import_is_one_line(stage, body, code, said):
    template = STAGE.replace("def main", f"{body}\n\ndef main")
    ended = stage("pass", "tiny", template=template)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.startswith(f"shout tiny: {said}")
    assert ended.stderr.count("\n") == 1


def test_whoever_has_read_enough_of_the_log_is_left_in_peace(start):
    body = "[log.info('line %d', n) for n in range(100000)]"
    with start(body, "tiny") as process:
        assert process.stdout.readline() == "line 0\n"
        process.stdout.close()
        complained = process.stderr.read()
    assert (process.returncode, complained) == (141, "")


def test_interrupt_ends_in_one_line(start):
    body = (
        "import signal, time; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # background jobs ignore it
        "log.info('ready'); time.sleep(60)"
    )
    with start(body, "tiny") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate()

    assert (process.returncode, said, complained) == (130, "", "shout tiny: interrupted\n")


def test_help_shows_the_docstring_as_it_stands(stage):
    ended = stage("raise SystemError", "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage: python -m stages.shout [-h] name\n")
    assert "Do one thing, 100 % of the time.\n\nReads   nothing\nWrites  nothing\n" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "the following arguments are required: name", id="none"),
        pytest.param(("tiny", "more"), "unrecognized arguments: more", id="two"),
    ],
)
def test_wrong_arguments(stage, arguments, said):
    ended = stage("raise SystemError", *arguments)

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "usage: python -m stages.shout [-h] name",
        f"python -m stages.shout: error: {said}",
    ]


def test_log_is_plain_lines_on_standard_output(stage):
    body = "log.debug('hidden'); log.info('%s: %d images', name, 3); log.warning('few')"

    assert outcome(stage(body, "tiny")) == (0, "tiny: 3 images\nfew\n", "")


def test_log_line_is_not_doubled_by_another_handler(stage):
    body = "logging.basicConfig(level=logging.DEBUG); log.info('once')"  # as absl does

    assert outcome(stage(body, "tiny")) == (0, "once\n", "")


def test_log_lines_come_before_the_failure(stage):
    body = "log.info('epoch 1'); raise errors.DataError('torn')"

    assert outcome(stage(body, "tiny")) == (1, "epoch 1\n", "shout tiny: torn\n")


def test_a_whole_lock_is_kept_aside(stage, tmp_path):
    whole = (REPOSITORY / "dvc.lock").read_bytes()
    (tmp_path / "dvc.lock").write_bytes(whole)
    assert stage("pass", "some").returncode == 0
    assert (tmp_path / ".imago/dvc.lock").read_bytes() == whole


IMPATIENT = STAGE.replace(
    "def main", "from imago.core import running\n\nrunning.PATIENCE_S = 0.5\n\n\ndef main"
)
HOLDING = "import signal; signal.alarm(60); log.info('ready'); open('hold').read()"


@pytest.fixture
def hold(tmp_path):
    """Return a pipe that holds a stage with the body HOLDING until something is written to it."""
    os.mkfifo(tmp_path / "hold")
    return tmp_path / "hold"


def test_a_stage_waits_for_another_process_at_the_same(start, hold, tmp_path):
    with start(HOLDING, "tiny") as first:
        assert first.stdout.readline() == "ready\n"
        with start("log.info('done')", "tiny") as second:
            line = f"shout tiny: waits for process {first.pid}, which is at the same\n"
            assert second.stdout.readline() == line
            hold.write_text("go on")
            assert second.communicate() == ("done\n", "")
    assert (first.returncode, second.returncode) == (0, 0)


def test_a_stage_waits_no_longer_than_a_while(start, hold):
    with start(HOLDING, "tiny") as first:
        assert first.stdout.readline() == "ready\n"
        with start("log.info('done')", "tiny", template=IMPATIENT) as second:
            _, complained = second.communicate()
        hold.write_text("go on")
    assert second.returncode == 1
    assert complained == (
        f"shout tiny: process {first.pid} is at the same; wait until it has ended, or end it\n"
    )


def test_stages_of_other_names_do_not_wait(start, hold):
    with start(HOLDING, "tiny") as first:
        assert first.stdout.readline() == "ready\n"
        with start("log.info('done')", "other") as second:
            assert second.communicate() == ("done\n", "")
        hold.write_text("go on")


def test_a_stage_ends_with_its_dvc(start, hold, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "shout@tiny")
    with start(HOLDING, "tiny", through=PARENT) as parent:
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        # The end of the output comes once the child, too, has let go of it.
        assert parent.communicate(timeout=60) == ("", "")


def test_a_stage_that_dvc_does_not_run_outlives_its_parent(start, hold, monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    body = f"{HOLDING}; log.info('went on')"
    with start(body, "tiny", through=PARENT) as parent:
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        parent.wait()
        sleep(2 * running.LOOK_EVERY_S)
        hold.write_text("go on")
        assert parent.stdout.read() == "went on\n"


SLOW_IMPORT = STAGE.replace(
    "import logging\n",
    "import logging, sys, time\n\n"
    "print('imports', flush=True)\n"
    "try:\n"
    "    time.sleep(60)\n"
    "except KeyboardInterrupt:\n"
    "    raise ImportError('as C extensions have it') from None\n",
)


def test_an_interrupt_while_modules_are_imported_ends_the_process_at_once(start):
    with start("pass", "tiny", template=SLOW_IMPORT) as process:
        assert process.stdout.readline() == "imports\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == -signal.SIGINT
