"""`imago predict` against plain Keras, whole processes, on one image and on many.

    python -m bench.predict EXPERIMENT [--photos FOLDER] [--images N] [--rounds N]

The other side is bench/usual_predict.py: `load_model` and `predict`. Both get the same files, by
turns; the order changes from round to round. Without --photos the files are PNGs of test images.
The experiment must have been trained and exported.
"""

import argparse
import csv
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from imago import params
from imago.core import paths
from imago.data import arrays
from imago.photos import decoding
from imago.runtimes import model_json


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write_images(Path(folder), chosen.experiment, chosen.photos, chosen.images)
        compare("1 image", chosen.experiment, files[0], chosen.rounds)
        compare(f"{len(files):,} images", chosen.experiment, Path(folder), chosen.rounds)


def write_images(folder: Path, experiment: str, photos: Path | None, count: int) -> list[Path]:
    """Put image files into a folder, evenly drawn from the photos or from the test split."""
    if photos:
        found = sorted(p for p in photos.rglob("*") if p.suffix.lower() in decoding.SUFFIXES)
        for place, path in enumerate(found[:: max(1, len(found) // count)][:count]):
            shutil.copy(path, folder / f"{place:05}{path.suffix}")
    else:
        pixels = params.load().experiments[experiment].pixels
        images = arrays.read_split(paths.data(pixels), "test").images
        for place, image in enumerate(images[:: max(1, len(images) // count)][:count]):
            Image.fromarray(image.squeeze()).save(folder / f"{place:05}.png")
    return sorted(folder.iterdir())


def compare(title: str, experiment: str, given: Path, rounds: int) -> None:
    """Time both sides on a file or folder, by turns, and print medians and the ratio."""
    commands = {
        "imago": [
            *(sys.executable, "-m", "imago", "predict", str(given)),
            *("--model", str(paths.export(experiment)), "--format", "csv"),
        ],
        "plain": [
            *(sys.executable, "-m", "bench.usual_predict"),
            *(str(paths.model(experiment) / "model.keras"), str(given)),
        ],
    }
    seconds: dict[str, list[float]] = {side: [] for side in commands}
    printed = {}
    for number in range(rounds):
        for side in reversed(commands) if number % 2 else commands:
            start = time.perf_counter()
            found = subprocess.run(commands[side], capture_output=True, text=True, check=True)
            seconds[side].append(time.perf_counter() - start)
            printed[side] = found.stdout
    ratios = sorted(p / i for p, i in zip(seconds["plain"], seconds["imago"], strict=True))
    medians = {side: statistics.median(values) for side, values in seconds.items()}
    print(
        f"{experiment}, {title}: plain Keras {medians['plain']:.2f} s, "
        f"imago {medians['imago']:.2f} s, "
        f"ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}), "
        f"same class for {same_class(printed, experiment):.1%}",
        flush=True,
    )


def same_class(printed: dict[str, str], experiment: str) -> float:
    """Return the share of images for which both sides have the same class."""
    classes = model_json.read_export(paths.export(experiment)).classes
    ours = [row["label"] for row in csv.DictReader(printed["imago"].splitlines())]
    plain = [classes[int(line.rsplit(",", 2)[1])] for line in printed["plain"].splitlines()]
    return statistics.mean(a == b for a, b in zip(ours, plain, strict=True))


if __name__ == "__main__":
    main()
