"""`dvc repro` on a cluster whose workers are killed comes to the dvc.lock of one machine."""

import itertools
import os
import re
import shutil
import signal
import threading

import pytest

from imago.core import workers
from tests import tiny_project
from tests.test_pipeline import dvc

pytestmark = pytest.mark.slow
SECONDS_BETWEEN_KILLS = 5.0
WORKERS = 2
SPREAD = ("extract", "prepare", "embed", "inspect", "evaluate", "export")


class Killer:
    """Kills a worker of a cluster now and then; another begins in its place."""

    def __init__(self, cluster) -> None:
        self.cluster, self.killed, self.done = cluster, 0, threading.Event()
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
            nannies = [one for one in self.cluster.workers.values() if one.pid]
            if len(nannies) < WORKERS or len(self.cluster.scheduler_info["workers"]) < WORKERS:
                continue  # the one that was killed has not been replaced yet
            os.kill(nannies[turn % WORKERS].pid, signal.SIGKILL)
            self.killed += 1


def test_the_lock_is_that_of_one_machine(tmp_path, monkeypatch):
    import distributed

    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    tiny_project.create(here)
    shutil.copytree(here, there, symlinks=True)
    dvc(here, "repro")

    with (
        distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        Killer(cluster) as killer,
    ):
        monkeypatch.setenv(workers.VARIABLE, cluster.scheduler_address)
        printed = dvc(there, "repro")
    assert {name.partition("@")[0] for name in re.findall(r"stage '(.*?)'", printed)} > set(SPREAD)
    assert killer.killed > 3
    assert (there / "dvc.lock").read_bytes() == (here / "dvc.lock").read_bytes()
