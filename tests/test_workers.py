"""Tasks on this machine's cores and on a cluster of Dask: the same results in the same order."""

import functools
import os
import pickle
import resource
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from imago.core import paths, workers
from imago.core.errors import ClusterError, DataError
from imago.data import arrays, rows, writing
from imago.data.rows import Rows
from imago.preparing import conversion
from tests.test_shards import LABELS, piece


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers, each a process that is begun anew when it dies."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as running:
        yield running


@pytest.fixture
def spread(cluster, monkeypatch):
    """The cluster, chosen as a user does."""
    monkeypatch.setenv(workers.VARIABLE, cluster.scheduler_address)
    return cluster


def squared(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def in_thread(number: int) -> tuple[int, int]:
    time.sleep(0.01)
    return number, threading.get_ident()


def new_pages(megabytes: int) -> float:
    """Return how many pages of memory each piece of a megabyte brings, of many that come and go."""
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(megabytes):
        np.full(1_000_000, 1, np.uint8)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start) / megabytes


def refused(number: int) -> int:
    if number == 3:
        message = f"photo {number}: is none"
        raise DataError(message)
    return number


def noted_and_done(folder: Path, number: int) -> int:
    """Tell who is at it, and take a while."""
    (folder / f"{number}.{os.getpid()}").touch()
    time.sleep(0.2)
    return number


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "http://127.0.0.1:9"])
def test_an_address_of_no_scheduler_is_one_line(monkeypatch, address):
    monkeypatch.setenv(workers.VARIABLE, address)
    monkeypatch.setattr(workers, "CONNECT_S", 1)
    with pytest.raises(ClusterError) as caught:
        list(workers.mapped(squared, range(3)))
    assert "must be the address of a Dask scheduler" in str(caught.value)
    assert repr(address) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_client_whose_thread_has_not_begun_in_time_is_made_again(monkeypatch):
    """Dask gives it ten seconds, which a busy machine may take."""
    distributed = pytest.importorskip("distributed")
    made = []

    class Late:
        def __init__(self, address, **_):
            made.append(address)
            assert len(made) > 1
            message = "connected"
            raise OSError(message)

    monkeypatch.setenv(workers.VARIABLE, "tcp://127.0.0.1:9")
    monkeypatch.setattr(distributed, "Client", Late)
    with pytest.raises(ClusterError, match="connected; unset it to use"):
        list(workers.mapped(squared, range(3)))
    assert len(made) == 2


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv(workers.VARIABLE, "tcp://127.0.0.1:9")
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ClusterError, match=r'pip install "imago\[cluster\]"'):
        list(workers.mapped(squared, range(3)))


@pytest.mark.parametrize("where", ["here", "spread"])
def test_results_come_in_the_order_of_the_tasks(request, where):
    if where == "spread":
        request.getfixturevalue(where)
    found = list(workers.mapped(squared, iter(range(50))))
    assert [square for square, _ in found] == [number**2 for number in range(50)]
    processes = {process for _, process in found}
    assert (os.getpid() in processes) == (where == "here")
    assert len(processes) == (1 if where == "here" else 2)


@pytest.mark.parametrize("where", ["here", "spread"])
def test_what_a_task_raises_is_raised(request, where):
    if where == "spread":
        request.getfixturevalue(where)
    made = workers.mapped(refused, range(9))
    assert [next(made), next(made), next(made)] == [0, 1, 2]
    with pytest.raises(DataError, match=r"^photo 3: is none$"):
        next(made)


def test_tasks_are_taken_as_they_are_needed(monkeypatch):
    taken = []
    tasks = (taken.append(number) or number for number in range(100))
    next(workers.mapped(refused, tasks, threads=2))
    assert len(taken) <= workers.AHEAD * 2 + 1


def test_a_worker_that_is_killed_is_no_matter(spread, tmp_path):
    """Again and again, one of those that are at a task."""
    killed = set()

    def kill() -> None:
        while len(killed) < 5:
            at_it = {int(path.suffix[1:]) for path in tmp_path.iterdir()} - killed
            for process in at_it:
                killed.add(process)
                os.kill(process, signal.SIGKILL)
                break
            time.sleep(0.3)

    thread = threading.Thread(target=kill)
    thread.start()
    found = list(workers.mapped(functools.partial(noted_and_done, tmp_path), range(60)))
    thread.join()
    assert found == list(range(60))
    assert len(killed) == 5


def test_a_worker_uses_the_memory_of_one_photo_for_the_next(spread):
    """Dask has its workers give it back: 245 pages for each."""
    assert max(workers.mapped(new_pages, [200] * 4)) < 25


def test_workers_with_other_code_are_refused(spread, monkeypatch):
    monkeypatch.setattr(workers, "fingerprint", lambda: "of something else")
    with pytest.raises(ClusterError, match=r"has other code .* start the workers again"):
        list(workers.mapped(squared, range(3)))


def test_what_was_loaded_is_kept_until_another_is_needed():
    loads = []

    def load() -> list[int]:
        loads.append(1)
        return loads

    assert workers.loaded(load, "a") is workers.loaded(load, "a")
    assert len(loads) == 1
    workers.loaded(load, "b")
    assert len(loads) == 2


IMAGES = np.random.default_rng(1).integers(0, 256, (500, 20, 20, 3), dtype=np.uint8)
POSITIONS = np.array([3, 499, 0])


def test_mapped_images_are_pickled_as_their_place(tmp_path):
    labels = np.zeros(500, np.int32)
    split = arrays.Split(IMAGES, labels)
    writing.dataset(tmp_path / "data", arrays.Dataset(("one",), split, split))
    mapped = arrays.read_split(tmp_path / "data", "train").images
    content = pickle.dumps(Rows(mapped, POSITIONS))
    assert len(content) < 1000
    np.testing.assert_array_equal(pickle.loads(content).stacked(), IMAGES[POSITIONS])


@pytest.mark.parametrize("of", ["memory", "a part of a file"])
def test_other_images_are_pickled_themselves(tmp_path, of):
    images = IMAGES
    if of == "a part of a file":  # of whose place NumPy knows nothing
        np.save(tmp_path / "a.npy", np.concatenate([IMAGES[:1], IMAGES]))
        images = np.load(tmp_path / "a.npy", mmap_mode="r")[1:]
    content = pickle.dumps(Rows(images, POSITIONS))
    np.testing.assert_array_equal(pickle.loads(content).stacked(), IMAGES[POSITIONS])
    assert len(content) < 2 * IMAGES[POSITIONS].nbytes


def test_rows_give_images_one_by_one():
    given = rows.Rows([IMAGES[0], IMAGES[1][:5]], np.array([1, 0]))
    assert [one.shape for one in given] == [(5, 20, 3), (20, 20, 3)]


def test_they_write_the_shards_that_are_not_there(spread, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole, target = piece(), Path("data/prepared/pets")
    wanted = np.concatenate(list(whole.blocks()))
    monkeypatch.setattr(writing, "SHARD_BYTES", 7 * wanted[0].nbytes)
    with writing.splits(target, ("cat", "dog"), (4, 4, 3), 2, made_of={}) as writer:
        done = writer.finished("train", 30, whole.between)
        np.testing.assert_array_equal(done, wanted)
        assert len(writer.unfinished.found["train"]) == 5
        totals = conversion.Totals(3)
        rest = totals.over(whole.between(30, 30)(), arrays.blocks(done))
        writer.add("train", np.repeat(LABELS, 3), rest)
        assert totals.statistics().mean == wanted.mean(axis=(0, 1, 2)).tolist()
    np.testing.assert_array_equal(arrays.read_split(target, "train").images, wanted)
    arrays.verify(target, "train")
    assert not paths.unfinished(target).exists()


def test_a_task_of_a_worker_is_done_there_on_one_core(monkeypatch):
    monkeypatch.setenv(workers.VARIABLE, "tcp://127.0.0.1:9")
    with workers.as_one():
        assert not workers.are_elsewhere()
        assert workers.pieces() == 1
        threads = {thread for _, thread in workers.mapped(in_thread, range(20))}
    assert len(threads) == 1
    assert workers.are_elsewhere()
