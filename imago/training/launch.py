"""A training in several processes that the workers of a Dask cluster start, one on each.

    IMAGO_SCHEDULER=tcp://10.0.0.1:8786 IMAGO_TRAINING_PROCESSES=4 dvc repro

Each is the stage train with a TF_CONFIG of its own, in the folder of the project, which all
machines see under the same path. Where one is lost, all are started again, and go on after the last
epoch that the chief has kept.
"""

import logging
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from imago.core import cluster, running, workers
from imago.core.errors import ClusterError, TrainingError

log = logging.getLogger("imago.stages.train")

VARIABLE = "IMAGO_TRAINING_PROCESSES"
ATTEMPTS = 20
LOOK_EVERY_S = 0.5
PATIENCE_S = 60.0
"""For processes that lost another to notice."""


class Ended(NamedTuple):
    """How a process of a training ended."""

    code: int
    last_line: str

    @property
    def is_lost(self) -> bool:
        """Whether it was killed, or lost another one."""
        return self.code < 0 or "one was lost" in self.last_line


def processes() -> int:
    """Return how many processes are to train together on the cluster; 1 for this one alone.

    Raises:
        ClusterError: The number is none, or there is no cluster.
    """
    text = os.environ.get(VARIABLE, "")
    if not text or cluster.VARIABLE in os.environ:  # where this is one of them
        return 1
    if not re.fullmatch("[1-9][0-9]{0,3}", text):
        message = f"{VARIABLE} must be a number from 1 to 9999, got {text!r}; or unset it"
        raise ClusterError(message)
    if text != "1" and not workers.are_elsewhere():
        message = (
            f"{VARIABLE} is {text}, and {workers.VARIABLE} must say on which cluster; set it to "
            "the address of a Dask scheduler, or unset both"
        )
        raise ClusterError(message)
    return int(text)


def train(experiment: str, count: int) -> None:
    """Train an experiment in `count` processes on as many workers, to the end.

    Raises:
        ClusterError: The cluster cannot be reached.
        TrainingError: The training fails by itself, or processes are lost again and again.
    """
    with workers.client() as client:
        for _ in range(ATTEMPTS):
            if len(client.nthreads()) < count:
                log.info("waits for %d workers, has %d", count, len(client.nthreads()))
                client.wait_for_workers(count)
            ended = _together(client, experiment, count)
            if all(one is not None and one.code == 0 for one in ended):
                return
            if failed := [one for one in ended if one and one.code and not one.is_lost]:
                raise TrainingError(failed[0].last_line)
            log.info("a process of the training was lost; all start again")
    message = f"processes must not be lost again and again, got {ATTEMPTS} times; see the workers"
    raise TrainingError(message)


def _together(client: Any, experiment: str, count: int) -> list[Ended | None]:
    """Start the processes, and wait for them; None stands for one whose worker was lost."""
    chosen = sorted(client.nthreads())[:count]
    topic = f"imago-{uuid.uuid4().hex}"
    places = [client.submit(_free_address, workers=[one], pure=False) for one in chosen]
    addresses = client.gather(places)
    client.subscribe_topic(topic, lambda event: log.info("%s", event[1]))
    futures = {
        one: client.submit(
            _run,
            *(Path.cwd(), experiment, cluster.config(addresses, index), topic if not index else ""),
            workers=[one],
            pure=False,
        )
        for index, one in enumerate(chosen)
    }
    try:
        return _ends(client, futures)
    finally:
        client.unsubscribe_topic(topic)


def _ends(client: Any, futures: Mapping[str, Any]) -> list[Ended | None]:
    lost_since = None
    while waiting := [one for one, future in futures.items() if not future.done()]:
        there = client.nthreads()
        if not set(futures) <= set(there):
            lost_since = lost_since or time.monotonic()
            is_over = time.monotonic() > lost_since + PATIENCE_S
            if is_over or not set(waiting) & set(there):
                break
        time.sleep(LOOK_EVERY_S)
    done = {one for one, future in futures.items() if future.status == "finished"}
    ended = [future.result() if one in done else None for one, future in futures.items()]
    client.cancel(list(futures.values()))
    return ended


def _free_address() -> str:
    """Return host:port that a process on this worker can take, as others reach it."""
    import distributed

    host = distributed.get_worker().contact_address or distributed.get_worker().address
    host = host.rpartition("://")[2].rpartition(":")[0]
    with socket.create_server((host, 0)) as listener:
        return f"{host}:{listener.getsockname()[1]}"


def _run(folder: Path, experiment: str, config: str, topic: str) -> Ended:
    """Run the stage on this worker, and pass on what the chief prints."""
    import distributed

    changed = {cluster.VARIABLE: config, running.DVC_VARIABLE: "train"}  # to end with the worker
    command = [sys.executable, "-m", "stages.train", experiment]
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **changed},
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            if topic:
                distributed.get_worker().log_event(topic, line.rstrip("\n"))
        code = process.wait()
        said.seek(0)
        lines = said.read().splitlines() or [""]
    return Ended(code, lines[-1].removeprefix(f"train {experiment}: "))
