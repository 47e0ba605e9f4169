"""A whole project in a folder: this repository's pipeline over tiny digits and tiny photos."""

import copy
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from tests import tiny_net

ROOT = Path(__file__).parents[1]
GIT = (".gitattributes", ".gitignore")
CODE = ("imago", "stages", "dvc.yaml", ".dvc/config", ".dvc/plots", ".dvcignore", *GIT)
SIDE_PX = 8
PHOTOS, WEIGHTS = "photos.zip", "net.weights.h5"
COLORS = {"blue": (200, 60, 60), "green": (60, 200, 60), "red": (60, 60, 200)}
"""The classes of the photos: blue, green and red of their mean."""
EXPORT, FEW_FORMATS = "all_formats", "few_formats"
_LIMITS = {"greatest_difference": 0.0001, "greatest_accuracy_loss": 0.1, "calibration_images": 20}
EXPORTS = {
    EXPORT: {
        "formats": ["saved_model", "litert", "litert_fp16", "litert_int8", "onnx"],
        **_LIMITS,
    },
    # Where another experiment has all of them.
    FEW_FORMATS: {"formats": ["litert", "litert_int8", "onnx"], **_LIMITS},
}


def idx_files() -> dict[str, bytes]:
    """180 training and 30 test images of three classes that differ in where they are bright."""
    generator = np.random.default_rng(11)
    files = {}
    for split, count in (("train", 180), ("test", 30)):
        labels = np.arange(count, dtype=np.uint8) % 3
        images = generator.integers(0, 120, (count, SIDE_PX, SIDE_PX), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[label * 2 : label * 2 + 3] += 90
        header = struct.pack(">BBBBIII", 0, 0, 8, 3, count, SIDE_PX, SIDE_PX)
        files[f"{split}-images"] = header + images.tobytes()
        files[f"{split}-labels"] = struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels.tobytes()
    return files


def photos_zip() -> bytes:
    """A zip with 12 training and 4 test photos of each of COLORS, and a file that is none."""
    generator = np.random.default_rng(12)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for split, count in (("train", 12), ("test", 4)):
            for name, color in COLORS.items():
                for index in range(count):
                    pixels = generator.normal(color, 4, (30 + index, 40, 3))
                    content = cv2.imencode(".jpg", pixels.clip(0, 255).astype(np.uint8))[1]
                    member = zipfile.ZipInfo(f"photos-1.0/{split}/{name}/{index}.jpg")  # no date
                    archive.writestr(member, content.tobytes())
        archive.writestr(zipfile.ZipInfo("photos-1.0/train/red/broken.jpg"), b"no photo")
    return buffer.getvalue()


def write_weights(path: Path, net: Any, images: np.ndarray) -> None:
    """Write random weights of a net of Keras whose maps tell images such as these apart.

    In the form that the name asks for.
    """
    import keras  # here, since few tests need it

    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    net(images.astype(np.float32), training=True)
    if path.name.endswith(".weights.h5"):
        net.save_weights(path)
    else:
        write_as_published(net, path)


def write_as_published(net: Any, path: Path) -> None:
    """Write weights in the older form, in which Keras publishes them.

    One group for each layer in the order of layers, with its arrays in the order of weights.
    """
    import h5py  # here, since few tests need it

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in net.layers]
        for layer in net.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = weight.numpy()


def many_colors() -> np.ndarray:
    """64 images of a colour and noise, (64, 32, 32, 3), 0-255."""
    generator = np.random.default_rng(13)
    return generator.uniform(64, 191, (64, 1, 1, 3)) + generator.uniform(-64, 64, (64, 32, 32, 3))


def settings() -> dict[str, Any]:
    """Two experiments, on two variants of one data set."""
    files = idx_files()
    train = {
        "model": "mlp",
        "normalization": "standardize",
        "hidden_units": [16],
        "dropout": 0.2,
        "optimizer": "adam",
        "learning_rate": 0.01,
        "epochs": 8,
        "batch_size": 15,  # of which the splits are multiples: a graph less to trace
        "jit_compile": False,
    }
    stopping = {"monitor": "validation_loss", "patience_epochs": 5}
    return {
        "seed": 20,
        "datasets": {
            "tiny": {
                "layout": "idx",
                "licence": "none stated",
                "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
                "sources": ["published/{name}"],
                "extract": {
                    "classes": ["top", "middle", "bottom"],
                    "train": {"images": "train-images", "labels": "train-labels"},
                    "test": {"images": "test-images", "labels": "test-labels"},
                },
            }
        },
        "prepare": {
            "tiny8": {
                "dataset": "tiny",
                "image_size_px": 8,
                "color": "grayscale",
                "fit": "stretch",
                "interpolation": "area",
                "validation_fraction": 0.0,
            },
            "tiny6": {
                "dataset": "tiny",
                "image_size_px": 6,
                "color": "rgb",
                "fit": "stretch",
                "interpolation": "area",
                "validation_fraction": 0.25,
            },
        },
        "weights": {},
        "backbones": {},
        "features": {},
        "exports": copy.deepcopy(EXPORTS),  # of which tests change theirs
        "experiments": {
            "plain": {
                "input": "prepared/tiny8",
                "pixels": "prepared/tiny8",
                "train": train | {"jit_compile": True},
                "export": EXPORT,
            },
            "validated": {
                "input": "prepared/tiny6",
                "pixels": "prepared/tiny6",
                "train": train | {"early_stopping": stopping},
                "export": EXPORT,
            },
        },
    }


_PHOTOS = {"dataset": "photos", "color": "rgb", "interpolation": "area"}
_TRAIN = {"optimizer": "adam", "learning_rate": 0.003, "batch_size": 15, "jit_compile": False}


def settings_with_photos(
    weights_sha256: str = "0" * 64, net: str = "MobileNetV2"
) -> dict[str, Any]:
    """The experiment `plain`, and a head on a backbone's features of photos."""
    plain = settings()
    del plain["prepare"]["tiny6"], plain["experiments"]["validated"]
    plain["datasets"]["photos"] = {
        "layout": "image_folder",
        "licence": 'CC0 <1.0> & "others"',
        "files": {PHOTOS: hashlib.sha256(photos_zip()).hexdigest()},
        "sources": ["published/{name}"],
        "extract": {"greatest_unreadable_fraction": 0.1, "greatest_megapixels": 1},
    }
    plain["prepare"]["photos32"] = _PHOTOS | {
        "image_size_px": 32,
        "fit": "stretch",
        "validation_fraction": 0.0,
        "limit_per_class": {"train": 10},
        "augment": {"brightness": 0.1},
        "views": 1,
    }
    plain["weights"]["net"] = {
        "files": {WEIGHTS: weights_sha256},
        "sources": ["published/{name}"],
    }
    plain["backbones"]["net32"] = {
        "net": net,
        "weights": "net",
        "image_size_px": 32,
        "pooling": "average",
    }
    plain["features"]["photos32_net"] = {
        "variant": "photos32",
        "backbone": "net32",
    }
    plain["experiments"]["transfer"] = {
        "input": "features/photos32_net",
        "pixels": "prepared/photos32",
        "train": _TRAIN
        | {
            "model": "transfer",
            "hidden_units": [16],
            "dropout": 0.2,
            "epochs": 20,
            "class_weights": "balanced",
        },
        "export": FEW_FORMATS,
    }
    return plain


def with_cnn(plain: dict[str, Any]) -> dict[str, Any]:
    """The same with the experiment `cnn`, a net of its own on photos."""
    variant = _PHOTOS | {
        "image_size_px": 16,
        "fit": "crop",
        "validation_fraction": 0.25,
        "augment": {"rotation_degrees": 10, "zoom": 0.1},
        "views": 2,
    }
    experiment = {
        "input": "prepared/photos16",
        "pixels": "prepared/photos16",
        "train": _TRAIN
        | {
            "model": "cnn",
            "normalization": "rescale",
            "filters": [4, 8],
            "kernel_size_px": 3,
            "pooling_size_px": 2,
            "dense_units": [16],
            "dropout": 0.0,
            "batch_normalization": False,
            "epochs": 5,
            "early_stopping": {"monitor": "validation_loss", "patience_epochs": 5},
            "augment": {"horizontal_flip": True},
        },
        "export": FEW_FORMATS,
    }
    return plain | {
        "prepare": plain["prepare"] | {"photos16": variant},
        "experiments": plain["experiments"] | {"cnn": experiment},
    }


def create(folder: Path) -> None:
    """Write the project into `folder` and commit it to git."""
    import keras  # here, since few tests need it

    published = copy_code(folder)
    shutil.copy(tiny_net.__file__, folder / "imago/backbones")
    for name, data in (idx_files() | {PHOTOS: photos_zip()}).items():
        (published / name).write_bytes(data)
    keras.utils.set_random_seed(1)
    write_weights(published / WEIGHTS, tiny_net.untrained((32, 32, 3)), many_colors())
    weights_sha256 = hashlib.sha256((published / WEIGHTS).read_bytes()).hexdigest()
    _begin(folder, settings_with_photos(weights_sha256, *tiny_net.NAMES))


def create_with_digits(folder: Path, values: dict[str, Any] | None = None) -> None:
    """Write the project without photos, whose experiments are trained in seconds.

    Args:
        folder: To be made.
        values: Of params.yaml; those of `settings` where there are none.
    """
    published = copy_code(folder)
    for name, data in idx_files().items():
        (published / name).write_bytes(data)
    _begin(folder, values or settings())


def copy_code(folder: Path) -> Path:
    """Copy the pipeline, and make a folder for published files."""
    for name in CODE:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    published = folder / "published"
    published.mkdir()
    return published


def _begin(folder: Path, values: dict[str, Any]) -> None:
    write_params(folder, values)
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    commit(folder, "Begin")


def write_params(folder: Path, values: dict[str, Any]) -> None:
    """Write params.yaml."""
    plain = json.loads(json.dumps(values))  # so that no part is shared and written as an anchor
    (folder / "params.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))


def read_params(folder: Path) -> dict[str, Any]:
    """Read params.yaml."""
    return yaml.safe_load((folder / "params.yaml").read_text())


def commit(folder: Path, message: str) -> None:
    """Commit all that git does not ignore."""
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", message)


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a command in the project and return what it printed; a failure is an AssertionError."""
    found = subprocess.run(
        command,
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
    return found.stdout


def dvc(folder: Path, *arguments: str) -> str:
    """Run a dvc command in the project and return what it printed."""
    return run(folder, sys.executable, "-m", "dvc", *arguments)


def environment() -> dict[str, str]:
    """The variables for a child: this Python first, a name for git, no mirror."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMAGO_")}
    person = {"NAME": "Tester", "EMAIL": "tester@example.org"}
    git = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in person.items()}
    return kept | git | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
