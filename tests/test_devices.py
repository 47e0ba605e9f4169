"""Several devices and several processes come to what one comes to; TF_CONFIG is read right."""

import json
import os
import socket
import subprocess
import sys

import pytest

from imago.core import cluster, workers
from imago.core.errors import ClusterError
from imago.training import launch
from tests.tiny_project import ROOT


def set_config(monkeypatch, **config) -> None:
    monkeypatch.setenv(cluster.VARIABLE, json.dumps(config))


@pytest.mark.parametrize(
    ("addresses", "task", "expected"),
    [
        ({"worker": ["a:1", "b:1"]}, {"type": "worker", "index": 1}, (1, 2)),
        ({"worker": ["a:1"], "chief": ["c:1"]}, {"type": "worker", "index": 0}, (1, 2)),
        ({"worker": ["a:1"], "chief": ["c:1"]}, {"type": "chief", "index": 0}, (0, 2)),
    ],
    ids=["workers", "a worker of a chief", "a chief"],
)
def test_which_process_this_is(monkeypatch, addresses, task, expected):
    set_config(monkeypatch, cluster=addresses, task=task)
    assert cluster.member() == cluster.Member(*expected)


def test_without_a_cluster_it_is_the_only_one(monkeypatch):
    monkeypatch.delenv(cluster.VARIABLE, raising=False)
    assert cluster.member() == cluster.Member(0, 1)
    assert cluster.member().is_chief


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}',
        '{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_cluster_that_names_no_process_is_refused(monkeypatch, text):
    monkeypatch.setenv(cluster.VARIABLE, text)
    with pytest.raises(ClusterError, match=r"TF_CONFIG must be JSON such as .*unset it") as caught:
        cluster.member()
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "scheduler", "said"),
    [
        ("two", "tcp://a:1", "must be a number from 1 to 9999, got 'two'"),
        ("0", "tcp://a:1", "must be a number from 1 to 9999, got '0'"),
        ("2", "", "is 2, and IMAGO_SCHEDULER must say on which cluster"),
    ],
)
def test_a_number_of_processes_that_cannot_be(monkeypatch, text, scheduler, said):
    monkeypatch.setenv(launch.VARIABLE, text)
    monkeypatch.setenv(workers.VARIABLE, scheduler)
    with pytest.raises(ClusterError, match=said):
        launch.processes()


def test_how_many_processes_are_started(monkeypatch):
    assert launch.processes() == 1
    monkeypatch.setenv(workers.VARIABLE, "tcp://a:1")
    assert launch.processes() == 1
    monkeypatch.setenv(launch.VARIABLE, "3")
    assert launch.processes() == 3
    set_config(monkeypatch, cluster={"worker": ["a:1"]}, task={"type": "worker", "index": 0})
    assert launch.processes() == 1  # one that was started


def free_addresses(count: int) -> list[str]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    for listener in listeners:
        listener.close()
    return addresses


def fit_together(folder, count: int, *options: str, killed: int | None = None) -> list[dict]:
    """Run tests/train_together.py in `count` processes, and return what each printed last."""
    addresses = free_addresses(count)
    processes = []
    for index in range(count):
        own = {cluster.VARIABLE: cluster.config(addresses, index)} if count > 1 else {}
        command = [sys.executable, "-m", "tests.train_together", str(folder), *options]
        if index == killed:
            command.append("killed")
        processes.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | own,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    ended = []
    for index, process in enumerate(processes):
        printed, errors = process.communicate(timeout=300)
        if killed is None:
            assert process.returncode == 0, errors
            ended.append(json.loads(printed.splitlines()[-1]))
        elif index != killed:
            assert process.returncode == 1
            ended.append({"said": errors})
    return ended


@pytest.mark.slow
def test_processes_come_to_what_one_comes_to(tmp_path):
    (alone,) = fit_together(tmp_path, 1)
    two = fit_together(tmp_path, 2)
    four = fit_together(tmp_path, 4)
    for together in (two, four):
        # Batch normalization's moving averages too, which Keras lets drift apart.
        assert len({json.dumps(one["weights"]) for one in together}) == 1
        pairs = list(zip(together[0]["history"], alone["history"], strict=True))
        assert pairs[0][0] == pytest.approx(pairs[0][1], rel=1e-5, abs=1e-5)
        for other, epoch in pairs[1:]:  # roundings grow, on one kind of processor more than another
            assert other == pytest.approx(epoch, rel=1e-4, abs=1e-4)
    assert list(tmp_path.rglob("state.npz")) == []  # an ended training leaves no state


@pytest.mark.slow
def test_after_one_is_killed_all_go_on_to_the_same_end(tmp_path):
    whole = fit_together(tmp_path, 2)
    (lost,) = fit_together(tmp_path, 2, killed=1)
    assert "one was lost; start all of them again, and they go on after epoch 2" in lost["said"]
    assert len(list(tmp_path.rglob("state.npz"))) == 1  # the chief's
    again = fit_together(tmp_path, 2)
    assert again == whole


@pytest.mark.slow
def test_replicas_drop_other_units(tmp_path):
    (one, _) = fit_together(tmp_path, 2, "dropout")
    assert one["equal_halves"] is False
