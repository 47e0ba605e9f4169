"""Limits of a shell: what is too little for stages and commands is a line."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from imago.core import resources
from imago.core.errors import LimitError

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("words", "gb", "said"),
    [
        (["stages.train", "none"], 2, "train none: TensorFlow needs 3 GB"),
        (["stages.evaluate", "none"], 0.5, "evaluate none: it needs 1 GB"),
        (["imago", "predict", "none.png"], 0.5, "imago: it needs 1 GB"),
    ],
)
def test_too_small_an_address_space_is_a_line(words, gb, said, tmp_path):
    """TensorFlow would end by SIGSEGV, and OpenBLAS interrupt the process."""
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('it was imported')")
    allowed = int(gb * 10**9)
    found = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed)),
        capture_output=True,
        text=True,
        check=False,
    )
    remedy = f" of address space, got {gb:.1f}; `ulimit -v unlimited` in the shell allows more\n"
    assert (found.returncode, found.stderr) == (1, said + remedy)


@pytest.mark.parametrize(("room", "allowed"), [(3, 9), (0, 9)])
def test_too_few_threads_are_a_line(room, allowed, monkeypatch):
    """TensorFlow would abort, and OpenBLAS interrupt the process. Root has no such limit."""
    begun = []

    def start(thread):
        if len(begun) == room:
            message = "can't start new thread"
            raise RuntimeError(message)
        begun.append(thread)

    monkeypatch.setattr(resources.threading.Thread, "start", start)
    limits = {resource.RLIMIT_AS: (-1, -1), resource.RLIMIT_NPROC: (allowed, -1)}
    monkeypatch.setattr(resources.resource, "getrlimit", limits.__getitem__)
    line = f"^it needs {resources.THREADS} threads, got {room}, for this user may have {allowed}; "
    with pytest.raises(LimitError, match=line):
        resources.demand()


def test_few_threads_that_suffice(monkeypatch):
    limits = {resource.RLIMIT_AS: (-1, -1), resource.RLIMIT_NPROC: (100, -1)}
    monkeypatch.setattr(resources.resource, "getrlimit", limits.__getitem__)
    resources.demand()
