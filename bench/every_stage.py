"""Every stage of a generated project, each a process: its seconds, and the most memory it held."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
STAGES = {
    "fetch": "datasets",
    "fetch_weights": "weights",
    "extract": "datasets",
    "prepare": "prepare",
    "preview": "prepare",
    "backbone": "backbones",
    "embed": "features",
    "inspect": "features",
    "train": "experiments",
    "evaluate": "experiments",
    "export": "experiments",
    "figures": "experiments",
    "report": "experiments",
    "overview": None,
}
"""In an order in which they can run, and the section of params.yaml that each has entries of."""
DVC = (sys.executable, "-m", "dvc")
LOOK_EACH_S = 0.01


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        name: Of the command.
        seconds: From its start to its end.
        peak_mb: The most resident memory of it, or of the largest of the processes that it started.
        private_mb: The most resident memory of it that no file backs, as seen each LOOK_EACH_S.
            `peak_mb` counts pages of mapped files too, which stay only while nobody needs the room.
    """

    name: str
    seconds: float
    peak_mb: float
    private_mb: float


@contextlib.contextmanager
def project(folder: Path | None, *photos: int | str) -> Iterator[Path]:
    """Yield a project, see `bench.generated` for its photos; in a folder that is named it stays."""
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command = [sys.executable, "-m", "bench.generated", str(place), *map(str, photos)]
        subprocess.run(command, cwd=ROOT, check=True)
        yield place.resolve()


def run(project: Path) -> Iterator[Cost]:
    """Run every stage once."""
    settings = yaml.safe_load((project / "params.yaml").read_text("utf-8"))
    for stage, section in STAGES.items():
        for entry in settings[section] if section else [""]:
            command = [sys.executable, "-m", f"stages.{stage}", *([entry] if entry else [])]
            yield measured(project, stage, *command)


def kept(project: Path) -> Iterator[Cost]:
    """Have DVC keep what the stages made, find that nothing has changed, and push it."""
    yield measured(project, "dvc commit", *DVC, "commit", "--force", "--quiet")
    yield measured(project, "dvc repro, no-op", *DVC, "repro", "--quiet")
    there = [*DVC, "remote", "add", "--default", "there", str(project / "remote")]
    subprocess.run([*there, "--quiet"], cwd=project, check=True)
    yield measured(project, "dvc push", *DVC, "push", "--quiet")
    yield measured(project, "dvc push, no-op", *DVC, "push", "--quiet")


def measured(project: Path, name: str, *command: str) -> Cost:
    """Run a command to its end. Raises RuntimeError with what it said where it fails."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("IMAGO_")}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=project, env=kept, stdout=said, stderr=said)
        seen, is_over = [0.0], threading.Event()
        watch = threading.Thread(target=_look, args=(process.pid, seen, is_over))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        is_over.set()
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            message = f"{name}: {said.read().decode(errors='replace')}"
            raise RuntimeError(message)
    return Cost(name, time.perf_counter() - start, usage.ru_maxrss / 1024, seen[0])


def _look(pid: int, seen: list[float], is_over: threading.Event) -> None:
    """Keep the most private memory of a process, in MB, until it is over."""
    page_mb = os.sysconf("SC_PAGE_SIZE") / 2**20
    while not is_over.wait(LOOK_EACH_S):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):  # it has ended
            _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
            seen[0] = max(seen[0], page_mb * (resident - shared))
