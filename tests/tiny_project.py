"""A whole project in a folder: this repository's pipeline over a tiny data set in IDX files."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
CODE = ("imago", "stages", "dvc.yaml", ".dvc/config", ".dvc/plots", ".dvcignore", ".gitignore")
SIDE_PX = 8


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


def settings() -> dict[str, object]:
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
        "batch_size": 16,
        "jit_compile": False,
    }
    shared = {
        "evaluate": {"batch_size": 7},
        "export": {"formats": ["litert", "saved_model"], "greatest_difference": 0.0001},
    }
    stopping = {"monitor": "validation_loss", "patience_epochs": 5}
    return {
        "seed": 20,
        "datasets": {
            "tiny": {
                "layout": "idx",
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
                "validation_fraction": 0.0,
            },
            "tiny6": {
                "dataset": "tiny",
                "image_size_px": 6,
                "color": "rgb",
                "validation_fraction": 0.25,
            },
        },
        "experiments": {
            "plain": {"input": "prepared/tiny8", "train": train | {"jit_compile": True}, **shared},
            "validated": {
                "input": "prepared/tiny6",
                "train": train | {"early_stopping": stopping},
                **shared,
            },
        },
    }


def create(folder: Path) -> None:
    """Write the project into `folder` and commit it to git."""
    for name in CODE:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (folder / "published").mkdir()
    for name, data in idx_files().items():
        (folder / "published" / name).write_bytes(data)
    # Through JSON, so that no part is shared and written as an anchor.
    plain = json.loads(json.dumps(settings()))
    (folder / "params.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    commit(folder, "Begin")


def commit(folder: Path, message: str) -> None:
    """Commit all that git does not ignore."""
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", message)


def run(folder: Path, *command: str) -> str:
    """Run a command in the project and return what it printed; a failure is an AssertionError."""
    found = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
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
