"""Whether a backbone's end should learn as well: heads alone against fine-tuning, on small sets.

    python -m bench.fine_tuning cat_dog.zip cifar10_jpeg.zip [--seeds 3] [--only SET ...]

The sets are those of bench.defaults, of other photos of the same archives, half of them to train on
and half to score on. Each training goes through the stages as `imago add` sets it, with and without
a second phase on pixels; none may be unsure, which of few photos is for heads alone. Prints
balanced accuracy, loss and seconds of the stage train.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench import defaults  # isort: skip - before what imports TensorFlow
import keras
import numpy as np
import yaml
from numpy.typing import NDArray

from bench.defaults import NAME, SETS, Kind, Photo
from imago import params
from imago.core import paths
from imago.images import forms
from imago.preparing import conversion
from imago.runtimes import inference, saving
from stages import train

WAYS: dict[str, dict[str, float] | None] = {
    "head alone": None,
    "last block, 0.0001": {"layers": 4, "learning_rate": 0.0001},
    "last five blocks, 0.0001": {"layers": 16, "learning_rate": 0.0001},
    "last five blocks, 0.00001": {"layers": 16, "learning_rate": 0.00001},
}
"""Of EfficientNet-Lite0 a block has three layers with weights, and one comes behind all blocks."""
SECOND_PHASE = {"optimizer": "adam", "epochs": 5, "batch_size": 32, "jit_compile": "auto"}


class Photos(defaults.Photos):
    """The photos that bench.defaults leaves alone."""

    def names(self, kind: Kind, name: str, *, test: bool) -> list[str]:
        """Return the paths of the photos of a class."""
        split = "training_set" if kind.of_pets else "train"
        archive = self._pets if kind.of_pets else self._things
        found = [one for one in archive.namelist() if f"{split}/{name}/" in one and one[-1] != "/"]
        others = sorted(found)[1::2] if kind.of_pets else found[:1000]
        half = len(others) // 2
        return others[half:] if test else others[:half]


class Score(NamedTuple):
    """What came of a training."""

    balanced_accuracy: float
    loss: float
    seconds: float


def scores(
    archive: Path, held_out: Sequence[tuple[str, Photo]], built: Path, seed: int
) -> list[Score]:
    """Train in each way on the photos of an archive, and score on others."""
    names, photos = zip(*held_out, strict=True)
    _, labels = np.unique(names, return_inverse=True)
    with defaults.project(built, seed):
        chosen = defaults.prepared(archive, None)
        form = conversion.form(params.load().prepare[chosen.variant])
        images = np.stack([forms.convert(photo, form) for photo in photos])
        settings = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
        del settings["experiments"][NAME]["train"]["certainty"]
        del settings["exports"][chosen.export]["unsure"]
        return [trained(way, settings, images, labels) for way in WAYS.values()]


def trained(
    way: dict[str, float] | None,
    settings: dict[str, dict[str, dict[str, dict[str, object]]]],
    images: NDArray[np.uint8],
    labels: NDArray[np.intp],
) -> Score:
    """Train in one way, and score."""
    training = settings["experiments"][NAME]["train"]
    training["fine_tune"] = way and SECOND_PHASE | way
    Path("params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    start = time.perf_counter()
    train.main(NAME)
    seconds = time.perf_counter() - start
    model, _ = saving.read(paths.model(NAME))
    call = inference.Runtime.tensorflow(model).call
    found = np.concatenate([call(images[i : i + 32]) for i in range(0, len(images), 32)])
    keras.utils.clear_session()
    hits = found.argmax(axis=1) == labels
    recalls = [hits[labels == label].mean() for label in np.unique(labels)]
    own = np.maximum(found[np.arange(len(labels)), labels], np.finfo(np.float32).tiny)
    return Score(float(np.mean(recalls)), float(-np.log(own).mean()), seconds)


def main() -> None:
    """Print a line for each set and seed, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pets", type=Path)
    parser.add_argument("things", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    photos, lines = Photos(arguments.pets.resolve(), arguments.things.resolve()), []
    with tempfile.TemporaryDirectory() as folder:
        built, archive = Path(folder, "built"), Path(folder, "photos.zip")
        built.mkdir()
        for name in arguments.only:
            held_out, found = list(photos.held_out(SETS[name])), []
            for seed in range(1, arguments.seeds + 1):
                photos.pack(SETS[name], seed, archive)
                found.append(scores(archive, held_out, built, seed))
                print(f"{name} seed {seed}: {' | '.join(map(shown, found[-1]))}", flush=True)
            means = [
                Score(*map(statistics.mean, zip(*of_way, strict=True)))
                for of_way in zip(*found, strict=True)
            ]
            lines.append(f"| {name} | {' | '.join(map(shown, means))} |")
    print("\n".join([f"| set | {' | '.join(WAYS)} |", "|---" * (1 + len(WAYS)) + "|", *lines]))


def shown(score: Score) -> str:
    """Say a score in a cell."""
    return f"{score.balanced_accuracy:.1%}, loss {score.loss:.2f}, {score.seconds:.0f} s"


if __name__ == "__main__":
    main()
