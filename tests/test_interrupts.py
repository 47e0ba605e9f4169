"""Ctrl+C at any moment of a stage or a command: one line at most, and the exit code for it."""

import random
import signal
import subprocess
import sys
import time

import pytest

from tests import faults, tiny_project

pytestmark = [pytest.mark.fault, pytest.mark.slow]

TIMES = faults.times(3, 60)
COMMANDS = {
    "stages.train": ["stages.train", "none"],
    "stages.evaluate": ["stages.evaluate", "none"],
    "imago": ["imago", "check"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    tiny_project.create_with_digits(folder)
    return folder


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_an_interrupt_is_one_line_at_most(project, words):
    def begin():
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=project,
            env=tiny_project.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # Background jobs, such as tests may be, ignore interrupts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    begun_s = time.monotonic()
    with begin() as process:
        process.communicate()
    lasts_s, draw = time.monotonic() - begun_s, random.Random(7)
    for _ in range(TIMES):
        with begin() as process:
            time.sleep(draw.uniform(0.15, 1) * lasts_s)  # by then Python itself has begun
            process.send_signal(signal.SIGINT)
            _, complained = process.communicate(timeout=60)
        assert process.returncode in (0, 1, 130, -signal.SIGINT), complained
        assert "Traceback" not in complained
        assert complained.count("\n") <= 1
