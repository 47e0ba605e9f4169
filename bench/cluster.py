"""Two workers of Dask against one core: extract and embed.

    python -m bench.cluster cat_dog.zip mobilenet_v2_1.0_no_top.weights.h5 [--rounds N]

Two data sets: the photos of the zip four times, each time cut otherwise; and every other one at 12
megapixels. Whole stages, by turns: as one process that is bound to one core, and on a cluster as
`imago cluster --workers 2` starts it, with which the stage's own process shares two cores. What
both made must be equal to the byte. Of 3,000 photos it needs 10 GB of disk.
"""

import argparse
import contextlib
import hashlib
import io
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from PIL import Image

from bench import cat_dog, photos
from imago.core import paths, workers
from imago.photos import decoding

PORT = 8799
ADDRESS = f"tcp://127.0.0.1:{PORT}"
DATASET, FEATURES = "cat_dog", "cat_dog128_mobilenet_v2"
KEPT, CUT = 13, 16
"""So many sixteenths of each side of a photo are one of its parts."""
BEFORE = (("fetch", DATASET), ("fetch_weights", "mobilenet_v2_128"))
BEFORE_EMBED = (("prepare", "cat_dog128"), ("backbone", "mobilenet_v2_128"))

Made = Callable[[bytes, int], list[bytes]]
"""Makes photos of a photo's bytes and its number."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sets: dict[str, Made] = {"four times": four_times, "at 12 megapixels": enlarged}
    with cluster():
        for title, make in sets.items():
            with tempfile.TemporaryDirectory() as folder:
                project = Path(folder) / "project"
                archive = Path(folder) / "photos.zip"
                convert(arguments.archive, archive, make)
                cat_dog.create(project, archive, arguments.weights.resolve())
                let_all_in(project)
                for stage, name in BEFORE:
                    run(project, stage, name)
                compare(f"extract, {title}", arguments.rounds, project, "extract", DATASET)
                if make is four_times:
                    for stage, name in BEFORE_EMBED:
                        run(project, stage, name)
                    compare(f"embed, {title}", arguments.rounds, project, "embed", FEATURES)


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    """Have two workers in the block, with this code."""
    environment = os.environ | {"PYTHONPATH": str(cat_dog.ROOT)}
    command = [sys.executable, "-m", "imago", "cluster", "--workers", "2", "--port", str(PORT)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            if "Ctrl+C" in line:
                break
        try:
            yield
        finally:
            running.send_signal(signal.SIGINT)


def convert(archive: Path, target: Path, make: Made) -> None:
    """Write a zip with what is made of each photo of another."""
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as made:
        names = [name for name in source.namelist() if name.lower().endswith(".jpg")]
        for number, name in enumerate(names):
            for view, content in enumerate(make(source.read(name), number)):
                made.writestr(f"{name[:-4]}_{view}.jpg", content)


def four_times(content: bytes, _: int) -> list[bytes]:
    """Return four parts of a photo, each at the size of the whole."""
    pixels = decoding.decode(content, sys.maxsize)
    height, width, _ = pixels.shape
    found = []
    for view in range(4):
        top, left = view * height // CUT, view * width // CUT
        part = pixels[top : top + height * KEPT // CUT, left : left + width * KEPT // CUT]
        image = Image.fromarray(part[:, :: -1 if view % 2 else 1]).resize((width, height))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=95)
        found.append(stream.getvalue())
    return found


def enlarged(content: bytes, number: int) -> list[bytes]:
    """Return every other photo at 12 megapixels."""
    return [] if number % 2 else [photos.enlarged(decoding.decode(content, sys.maxsize))]


def let_all_in(project: Path) -> None:
    """Take every photo into the variant."""
    settings = yaml.safe_load((project / "params.yaml").read_text("utf-8"))
    del settings["prepare"]["cat_dog128"]["limit_per_class"]
    cat_dog.write(project, settings)


def compare(title: str, rounds: int, project: Path, stage: str, name: str) -> None:
    """Time a stage on one core and on the cluster, by turns; check that the bytes are equal."""
    folder = {"extract": paths.extracted, "embed": paths.features}[stage](name)
    ratios, seconds, digests = [], [], set()
    for number in range(rounds):
        took = {}
        for where in ("one", "two") if number % 2 else ("two", "one"):
            shutil.rmtree(project / folder, ignore_errors=True)
            took[where] = run(project, stage, name, on_cluster=where == "two")
            digests.add(digest(project / folder))
        ratios.append(took["one"] / took["two"])
        seconds.append((took["one"], took["two"]))
    one_s, two_s = map(statistics.median, zip(*seconds, strict=True))
    print(
        f"{title}: one core {one_s:.1f} s, two workers {two_s:.1f} s, ratio "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
        + ("equal bytes" if len(digests) == 1 else "OTHER BYTES"),
        flush=True,
    )


def run(project: Path, stage: str, name: str, *, on_cluster: bool | None = None) -> float:
    """Run a stage and give its seconds: on the cluster, on one core, or as it comes."""
    environment = os.environ | {workers.VARIABLE: ADDRESS if on_cluster else ""}
    bound = ["taskset", "--cpu-list", "0"] if on_cluster is False else []
    command = [*bound, sys.executable, "-m", f"stages.{stage}", name]
    start = time.perf_counter()
    found = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise SystemExit(found.stdout + found.stderr)
    return time.perf_counter() - start


def digest(folder: Path) -> str:
    """Return a digest of every file in a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(path.relative_to(folder).as_posix().encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


if __name__ == "__main__":
    main()
