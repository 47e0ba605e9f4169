"""`dvc repro` on a cluster whose workers are killed comes to the dvc.lock of one machine."""

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import distributed
import numpy as np
import psutil
import pytest

from imago.core import workers
from tests import tiny_project

pytestmark = pytest.mark.slow
WORKERS = 2
SECONDS_BETWEEN_KILLS = 6.0
SPREAD = {"extract", "prepare", "embed", "inspect", "evaluate", "export"}


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run `imago cluster` with the code of a project; yields the address and its process."""
    command = [sys.executable, "-m", "imago", "cluster", "--workers", str(WORKERS), "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=tiny_project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        lines = iter(process.stdout)
        address = next(line.rpartition("=")[2].strip() for line in lines if "=tcp" in line)
        try:
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()  # a shell may have told its children to ignore SIGINT


class Killer:
    """Kills a worker of a cluster now and then; another begins in its place."""

    def __init__(self, cluster: psutil.Process) -> None:
        self.cluster, self.killed, self.done = cluster, set(), threading.Event()
        self.thread = threading.Thread(target=self._kill)

    def __enter__(self) -> "Killer":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.done.set()
        self.thread.join()

    def _kill(self) -> None:
        for turn in itertools.count():
            if self.done.wait(SECONDS_BETWEEN_KILLS):
                return
            there = sorted(self._workers() - self.killed)
            if len(there) == WORKERS:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(there[turn % WORKERS], signal.SIGKILL)
                    self.killed.add(there[turn % WORKERS])

    def _workers(self) -> set[int]:
        found = set()
        for child in self.cluster.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "spawn_main" in " ".join(child.cmdline()):
                    found.add(child.pid)
        return found


def test_the_lock_is_that_of_one_machine(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    tiny_project.create(here)
    shutil.copytree(here, there, symlinks=True)
    tiny_project.dvc(here, "repro")
    score = [sys.executable, "-m", "imago", "score", "transfer", "published/photos.zip"]
    wanted = tiny_project.run(here, *score)

    with cluster(there) as (address, process), Killer(process) as killer:
        spread = {workers.VARIABLE: address}
        printed = tiny_project.run(there, sys.executable, "-m", "dvc", "repro", **spread)
        scored = tiny_project.run(there, *score, **spread)
    assert {name.partition("@")[0] for name in re.findall(r"stage '(.*?)'", printed)} > SPREAD
    assert len(killer.killed) > 3
    assert (there / "dvc.lock").read_bytes() == (here / "dvc.lock").read_bytes()
    assert scored == wanted


def test_workers_that_are_killed_as_they_begin_are_replaced(tmp_path):
    tiny_project.copy_code(tmp_path)
    pauses_s = np.random.default_rng(1).uniform(0, 3, 25)
    with cluster(tmp_path) as (address, process):
        killer = Killer(process)
        for pause_s in pauses_s:
            time.sleep(pause_s)
            for one in killer._workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
        with distributed.Client(address, timeout=30) as client:
            client.wait_for_workers(WORKERS, timeout=60)
