"""Photos that are drawn by chance, as many as are asked for, and a project that learns from them.

    python -m bench.generated FOLDER CLASSES TRAIN TEST SIDE INPUT

SIDE is that of each photo, in pixels; INPUT what the experiment learns on: pixels, or the features
of a backbone. Each class has a pattern of colours, which its photos have under a pattern of their
own and noise: a model can learn them, and no two are look-alikes. In a process of its own, for who
starts others lends them its memory in what the system counts.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
PROJECT = ("imago", "stages", "dvc.yaml", ".dvc/config", ".dvc/plots", ".dvcignore")
ARCHIVE, WEIGHTS, NAME = "photos.zip", "net.weights.h5", "generated"
CELLS, PATTERN, DATE = 5, 0.35, (1980, 1, 1, 0, 0, 0)
"""Colours of a photo's pattern, along each side; and the share of its class in them."""
NET_PX = 32
"""What the backbone takes: the least that MobileNetV2 can."""

MLP = {"model": "mlp", "normalization": "standardize", "hidden_units": [256]}
TRAIN = {
    "dropout": 0.0,
    "optimizer": "adam",
    "learning_rate": 0.001,
    "epochs": 5,
    "batch_size": 32,
    "jit_compile": False,
}


def main() -> None:
    """Write the project."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name in ("classes", "train", "test", "side_px"):
        parser.add_argument(name, type=int)
    parser.add_argument("learns_on", choices=("pixels", "features"))
    asked = vars(parser.parse_args())
    create(asked.pop("folder"), Photos(**asked))


@dataclass(frozen=True, kw_only=True)
class Photos:
    """How many photos of how many classes.

    Attributes:
        classes: How many.
        train: Photos to learn from, of all classes together.
        test: Photos to be tested on.
        side_px: Of each photo.
        learns_on: pixels, which tell many classes apart; or features, of a net of chance weights.
    """

    classes: int
    train: int
    test: int
    side_px: int
    learns_on: str


def create(project: Path, photos: Photos) -> None:
    """Write a project with one experiment, a head on a backbone of weights drawn by chance."""
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, project / name)
    published = project / "published"
    published.mkdir()
    write_photos(published / ARCHIVE, photos)
    write_weights(published / WEIGHTS)
    digests = {
        name: hashlib.sha256((published / name).read_bytes()).hexdigest()
        for name in (ARCHIVE, WEIGHTS)
    }
    text = yaml.safe_dump(
        json.loads(json.dumps(settings(digests, photos.learns_on))), sort_keys=False
    )
    (project / "params.yaml").write_text(text, "utf-8")
    command = [sys.executable, "-m", "dvc", "config", "--local"]
    for key, value in {"core.no_scm": "true", "core.analytics": "false"}.items():
        subprocess.run([*command, key, value], cwd=project, check=True)


def write_photos(path: Path, photos: Photos) -> None:
    """Write a zip of JPEGs with a folder for each split and in it one for each class."""
    with zipfile.ZipFile(path, "w") as archive:
        for split, count in (("train", photos.train), ("test", photos.test)):
            for number, content in enumerate(_drawn(split, count, photos)):
                member = f"{split}/class {number % photos.classes:04}/{number}.jpg"
                archive.writestr(zipfile.ZipInfo(member, DATE), content)


def _drawn(split: str, count: int, photos: Photos) -> Iterator[bytes]:
    shape = (CELLS, CELLS, 3)
    patterns = np.random.default_rng(0).uniform(0, 255, (photos.classes, *shape))
    generator = np.random.default_rng([1, len(split)])
    for number in range(count):
        own = generator.uniform(0, 255, shape)
        cells = PATTERN * patterns[number % photos.classes] + (1 - PATTERN) * own
        yield _photo(cells, photos.side_px, generator)


def _photo(cells: NDArray[np.float64], side_px: int, generator: np.random.Generator) -> bytes:
    size = (side_px, side_px)
    smooth = cv2.resize(cells.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    noise = generator.integers(0, 16, (*size, 3), np.uint8)
    pixels = np.clip(smooth, 0, 240).astype(np.uint8) + noise
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def write_weights(path: Path) -> None:
    """Write weights of MobileNetV2 that are drawn by chance, and tell coloured images apart."""
    import keras  # here, for it takes seconds

    keras.utils.set_random_seed(1)
    net = keras.applications.MobileNetV2((NET_PX, NET_PX, 3), include_top=False, weights=None)
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    generator = np.random.default_rng(2)
    cells = generator.uniform(-1, 1, (64, CELLS, CELLS, 3)).astype(np.float32)
    images = np.stack([cv2.resize(one, (NET_PX, NET_PX)) for one in cells])
    net(images, training=True)  # from which it keeps the means and variances of its maps
    net.save_weights(path)


def settings(digests: Mapping[str, str], learns_on: str) -> dict[str, Any]:
    """Return params.yaml."""
    on_features, sources = learns_on == "features", ["published/{name}"]
    head = {"model": "transfer", "hidden_units": []} if on_features else MLP
    variant, features = f"{NAME}{NET_PX}", f"{NAME}{NET_PX}_net"
    return {
        "seed": 20,
        "datasets": {
            NAME: {
                "layout": "image_folder",
                "licence": "none: generated",
                "files": {ARCHIVE: digests[ARCHIVE]},
                "sources": sources,
                "extract": {"greatest_unreadable_fraction": 0.0, "greatest_megapixels": 1},
            }
        },
        "prepare": {
            variant: {
                "dataset": NAME,
                "image_size_px": NET_PX,
                "color": "rgb",
                "fit": "stretch",
                "interpolation": "area",
                "validation_fraction": 0.1,
            }
        },
        "weights": {"net": {"files": {WEIGHTS: digests[WEIGHTS]}, "sources": sources}},
        "backbones": {
            "net": {
                "net": "MobileNetV2",
                "weights": "net",
                "image_size_px": NET_PX,
                "pooling": "average",
            }
        },
        "features": {features: {"variant": variant, "backbone": "net"}},
        "exports": {
            "all": {
                "formats": ["saved_model", "litert", "litert_fp16", "litert_int8", "onnx"],
                "greatest_difference": 0.001,
                "greatest_accuracy_loss": 0.5,
                "calibration_images": 100,
            }
        },
        "experiments": {
            NAME: {
                "input": f"features/{features}" if on_features else f"prepared/{variant}",
                "pixels": f"prepared/{variant}",
                "train": head | TRAIN,
                "export": "all",
            }
        },
    }


if __name__ == "__main__":
    main()
